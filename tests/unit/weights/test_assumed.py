"""What tensors cannot tell is asked, or said; a choice that makes no sense is refused."""

import os
from pathlib import Path

import pytest
import torch

import resnext
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights

ROOT = Path(os.environ.get("RESNEXT_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
WEIGHTS = ROOT / "weights"

TYPE_A = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), stage_widths=(8, 16), stem_width=8, cardinality=1,
    block="basic", shortcut="A", num_classes=4,
)  # fmt: skip


def state_file(folder: Path, config: ResNeXtConfig, head: str = "fc") -> Path:
    torch.manual_seed(0)
    state = {n.replace("fc", head): t for n, t in create_model(config).state_dict().items()}
    torch.save(state, folder / "w.pth")
    return folder / "w.pth"


def test_where_type_a_pads_is_asked_and_either_answer_is_kept(tmp_path: Path) -> None:
    path = state_file(tmp_path, TYPE_A)
    with pytest.raises(
        CheckpointError, match=r"zero channels \(type A\).*--shortcut-padding end\|both"
    ):
        open_weights(path)
    end = open_weights(path, shortcut_padding="end")
    both = open_weights(path, shortcut_padding="both")
    assert torch.equal(end.state["fc.weight"], torch.load(path)["fc.weight"])
    half = torch.cat([torch.arange(4, 12), torch.arange(4), torch.arange(12, 16)])
    assert torch.equal(both.state["fc.weight"], end.state["fc.weight"][:, half])


def test_the_names_of_akamasters_networks_pad_on_both_sides_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = state_file(tmp_path, TYPE_A, head="linear")
    found = open_weights(path)
    assert torch.equal(
        found.state["fc.weight"], open_weights(path, shortcut_padding="both").state["fc.weight"]
    )
    assert "their zeros half before and half after the others" in caplog.text
    assert any("zeros" in line for line in found.assumed)


def test_type_a_that_adds_no_channels_needs_no_answer(tmp_path: Path) -> None:
    path = state_file(tmp_path, TYPE_A.replace(stage_widths=(8, 8)))
    assert open_weights(path).config == TYPE_A.replace(stage_widths=(8, 8))


def test_an_answer_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    path = state_file(tmp_path, TYPE_A.replace(shortcut="B"))
    with pytest.raises(CheckpointError, match="type B"):
        open_weights(path, shortcut_padding="end")
    with pytest.raises(ConfigError, match=r"shortcut_padding='left': accepted are 'end' and"):
        resnext.load(path, shortcut_padding="left")  # type: ignore[call-overload]  # what is tested
    ours = tmp_path / "ours.safetensors"
    save_weights(ours, create_model(TYPE_A), TYPE_A, ModelCard())
    with pytest.raises(ConfigError, match="already defines its shortcuts"):
        open_weights(ours, shortcut_padding="end")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "stem of stride 1 without a pool"),
        ({"stem": "imagenet"}, "stem of stride 2 with a max pool"),
        ({"stem": "imagenet", "ndim": 3}, "stride 2 along all dimensions"),
        ({"shortcut": "A", "stage_widths": (8, 8)}, "type A shortcuts, not none"),
        ({"preactivation": True}, "projections after the first BN"),
        ({}, "no dilation; ReLU"),
    ],
)
def test_what_a_state_dict_cannot_tell_is_said_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, object], words: str
) -> None:
    found = open_weights(state_file(tmp_path, TYPE_A.replace(shortcut="B").replace(**changes)))
    lines = [record for record in caplog.messages if "do not fully determine" in record]
    assert len(lines) == 1
    assert words in lines[0]
    assert found.assumed


def test_a_file_of_ours_assumes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_weights(tmp_path / "w", create_model(TYPE_A), TYPE_A, ModelCard())
    assert open_weights(tmp_path / "w").assumed == ()
    assert not caplog.messages


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="RESNEXT_DATA names no folder with weights/")
@pytest.mark.parametrize(
    ("name", "blocks", "shortcut"),
    [
        ("resnet20-12fca82f.th", 3, "A"),
        ("resnet32-d509ac18.th", 5, "A"),
        ("benjames03-resnet20.pth", 3, "B"),
        ("faiimea-resnet56.pth", 9, "B"),
    ],
)
def test_cifar_networks_of_other_people_open(name: str, blocks: int, shortcut: str) -> None:
    config = open_weights(WEIGHTS / name).config
    assert isinstance(config, ResNeXtConfig)
    assert (config.blocks_per_stage, config.shortcut) == ((blocks,) * 3, shortcut)
    assert (config.block, config.stem, config.stage_widths) == ("basic", "cifar", (16, 32, 64))
