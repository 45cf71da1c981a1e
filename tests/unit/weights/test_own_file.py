"""Weight files: whole, self-contained, and clear about what is wrong with others."""

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from nonempty import nonempty
from safetensors.torch import save_file
from torch import nn

from resnext.errors import CheckpointError
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights import tensor_file
from resnext.weights.own_file import load_into, read_weights, save_weights

SMALL = ResNeXtConfig(
    stem="cifar",
    stem_width=8,
    blocks_per_stage=(1, 1),
    stage_widths=(16, 24),
    cardinality=4,
    num_classes=3,
)
CARD = ModelCard(
    data="digits",
    classes=("a", "b", "ß"),
    image_size_px=8,
    resize_px=None,
    mean=(0.1,),
    std=(0.3,),
    metrics={"top1_error": 1.25},
    epoch=7,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    save_weights(path, create_model(SMALL), SMALL, CARD)
    return path


@pytest.mark.parametrize("form", ["a", "b", "c"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_a_saved_network_comes_back_bit_for_bit(
    tmp_path: Path, form: str, channels_last: bool
) -> None:
    model = create_model(SMALL, form=form, preactivation=form == "b")
    if channels_last:
        model.to(memory_format=torch.channels_last)
    model(torch.randn(4, 3, 8, 8))  # moves the statistics of BN
    config: Any = model.config
    save_weights(tmp_path / "best.safetensors", model, config, CARD)
    for source in (tmp_path, str(tmp_path / "best.safetensors")):
        loaded = load(source)
        assert loaded.config == config
        assert loaded.card == CARD
        assert not loaded.module.training
        for name, tensor in model.state_dict().items():
            assert torch.equal(loaded.module.state_dict()[name], tensor), name
    assert [path.name for path in tmp_path.iterdir()] == ["best.safetensors"]


@pytest.mark.slow
def test_a_baseline_comes_back_too(tmp_path: Path) -> None:
    config: ModelConfig = BaselineConfig(family="inception_v3", num_classes=2)
    model = create_model(config)
    save_weights(tmp_path / "x.safetensors", model.state_dict(), config, ModelCard())
    loaded = load(tmp_path / "x.safetensors")
    assert loaded.config == config
    x = torch.randn(1, 3, 75, 75)
    with torch.no_grad():
        assert torch.equal(loaded(x), model.eval()(x))


def test_a_loaded_network_can_be_trained_further(file: Path) -> None:
    model = load(file).module.train()
    model(torch.randn(4, 3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in nonempty(model.parameters()))


def test_a_file_cut_at_any_place_is_refused(file: Path) -> None:
    content = file.read_bytes()
    for size in (0, 4, 8, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:size])
        with pytest.raises(CheckpointError, match=r"best\.safetensors: .*incomplete or of another"):
            read_weights(file)


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip file, as torch.save writes", b"\xff" * 64])
def test_a_file_of_another_kind_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read as a safetensors file"):
        read_weights(file)


def test_a_safetensors_file_without_our_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_file(create_model(SMALL).state_dict(), path)
    with pytest.raises(CheckpointError, match="without the header of resnext"):
        read_weights(path)


def test_a_training_checkpoint_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"format": "resnext-checkpoint-1"})
    with pytest.raises(CheckpointError, match=r"is a training checkpoint; use best\.safetensors"):
        load(path)


@pytest.mark.parametrize(
    "change", [{"config": "{}"}, {"card": "no json"}, {"card": '{"x": 1}'}, {"card": "[]"}]
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    path = tmp_path / "edited.safetensors"
    header = {
        "format": "resnext-weights-1",
        "config": SMALL.model_dump_json(),
        "card": CARD.model_dump_json(),
    }
    save_file(create_model(SMALL).state_dict(), path, header | change)
    with pytest.raises(CheckpointError, match="does not describe a network of this version"):
        load(path)


@pytest.mark.parametrize(
    "change", [{"blocks_per_stage": (10**6, 1)}, {"form": "a", "cardinality": 10**6}]
)
def test_a_header_of_more_blocks_than_tensors_builds_nothing(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = tmp_path / "hostile.safetensors"
    save_weights(path, create_model(SMALL), SMALL.replace(**change), CARD)
    with pytest.raises(CheckpointError, match=r"hostile\.safetensors: .*blocks or paths"):
        load(path)


def test_weights_that_do_not_fit_their_own_config_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mismatched.safetensors"
    save_weights(path, create_model(SMALL), SMALL.replace(num_classes=4), CARD.replace(classes=()))
    with pytest.raises(
        CheckpointError, match=r"mismatched\.safetensors: .*different shape: fc\.weig"
    ):
        load(path)


def test_a_missing_file_or_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        load(tmp_path / "nothing.safetensors")
    with pytest.raises(CheckpointError, match=r"contains no best\.safetensors"):
        load(tmp_path)


def test_weights_that_do_not_fit_are_listed_and_change_nothing() -> None:
    model = create_model(SMALL)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = {name: torch.ones_like(tensor) for name, tensor in before.items()}
    del state["conv1.weight"]
    state["head.weight"] = torch.zeros(1)
    state["fc.bias"] = torch.zeros(4)
    with pytest.raises(
        CheckpointError,
        match=r"missing: conv1\.weight; extra: head\.weight; "
        r"different shape: fc\.bias is 4 instead of 3\.",
    ):
        load_into(model, state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_weights_that_fit_are_copied_in_place() -> None:
    model, source = create_model(SMALL), create_model(SMALL)
    parameter = model.get_parameter("fc.weight")
    load_into(model, source.state_dict())
    assert model.get_parameter("fc.weight") is parameter
    assert torch.equal(parameter, source.get_parameter("fc.weight"))


def test_a_write_that_fails_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def fill_the_disk(*arguments: object) -> None:
        Path(str(arguments[1])).write_bytes(b"half a fi")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensor_file, "save_file", fill_the_disk)
    with pytest.raises(CheckpointError, match=r"No space left on device.*free some space"):
        save_weights(file, nn.Linear(1, 1), SMALL, CARD)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_does_not_exist_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written"):
        save_weights(tmp_path / "no" / "x.safetensors", create_model(SMALL), SMALL, CARD)
