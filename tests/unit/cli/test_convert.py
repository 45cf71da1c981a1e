"""`resnext convert`: formats there and back bit for bit, and the changes of a network."""

from pathlib import Path

import pytest
import torch
from command import Command
from torchvision.models import ResNet
from torchvision.models.resnet import Bottleneck

import resnext
from resnext.cli.main import main
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.weights.file import Weights
from resnext.weights.own_file import save_weights
from resnext.weights.source import open_weights
from resnext.weights.write import why_not_torchvision

NAME = "resnext14_4x8d"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Our file of a small network that torchvision's class can build, with a card."""
    torch.manual_seed(0)
    config = config_from(NAME, num_classes=6)
    model = create_model(config)
    card = ModelCard(classes=tuple("abcdef"), metrics={"top1_error": 12.5}, image_size_px=96)
    save_weights(tmp_path / "w.safetensors", model, config, card)
    return tmp_path / "w.safetensors"


def convert(source: Path, target: Path, *flags: str) -> Weights:
    assert main(["convert", str(source), str(target), *flags]) == 0
    return open_weights(target)


def assert_same_bits(found: Weights, file: Path) -> None:
    expected = open_weights(file)
    assert found.config == expected.config
    assert found.state.keys() == expected.state.keys()
    for name, tensor in expected.state.items():
        assert torch.equal(found.state[name], tensor), name


def test_all_formats_there_and_back_keep_every_bit(file: Path, tmp_path: Path) -> None:
    pth, again, ours = (tmp_path / name for name in ("a.pth", "b.safetensors", "c.safetensors"))
    convert(file, pth, "--format", "torchvision")
    convert(pth, again, "--format", "timm")
    assert_same_bits(convert(again, ours), file)


def test_our_format_and_timms_keep_the_card(file: Path, tmp_path: Path) -> None:
    for kind in ("safetensors", "timm"):
        found = convert(file, tmp_path / f"{kind}.safetensors", "--format", kind)
        assert found.card == open_weights(file).card


def test_torchvisions_own_class_loads_the_file_strictly(file: Path, tmp_path: Path) -> None:
    convert(file, tmp_path / "a.pth", "--format", "torchvision")
    theirs = ResNet(Bottleneck, [1, 1, 1, 1], num_classes=6, groups=4, width_per_group=8).eval()
    theirs.load_state_dict(torch.load(tmp_path / "a.pth", weights_only=True))
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(resnext.load(file)(images), theirs(images), rtol=0, atol=1e-5)


def test_timms_create_model_opens_the_file_with_no_code_of_ours(file: Path, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    convert(file, tmp_path / "a.safetensors", "--format", "timm")
    theirs = timm.create_model(
        "resnext50_32x4d",
        checkpoint_path=str(tmp_path / "a.safetensors"),
        num_classes=6,
        layers=(1, 1, 1, 1),
        cardinality=4,
        base_width=8,
    ).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(resnext.load(file)(images), theirs(images), rtol=0, atol=1e-5)


def test_forms_there_and_back_keep_every_bit(file: Path, tmp_path: Path) -> None:
    convert(file, tmp_path / "a.safetensors", "--form", "a")
    found = convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", "--form", "b")
    assert found.config.form == "b"  # type: ignore[union-attr]  # a ResNeXt's
    assert_same_bits(
        convert(tmp_path / "b.safetensors", tmp_path / "c.safetensors", "--form", "c"), file
    )


def test_a_foreign_format_gets_form_c(file: Path, tmp_path: Path) -> None:
    convert(file, tmp_path / "a.safetensors", "--form", "a")
    found = convert(tmp_path / "a.safetensors", tmp_path / "b.pth", "--format", "torchvision")
    assert_same_bits(found, file)


def test_regrouping_computes_the_same_and_comes_back(file: Path, tmp_path: Path) -> None:
    merged = tmp_path / "m.safetensors"
    found = convert(file, merged, "--cardinality", "2")
    assert found.config.template == "2x16d"  # type: ignore[union-attr]  # a ResNeXt's
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            resnext.load(merged)(images), resnext.load(file)(images), rtol=1e-5, atol=1e-5
        )
    assert_same_bits(convert(merged, tmp_path / "back.safetensors", "--cardinality", "4"), file)


@pytest.mark.slow
def test_other_channels_classes_and_dimensions(file: Path, tmp_path: Path) -> None:
    grey = convert(file, tmp_path / "g.safetensors", "--in-channels", "1")
    assert grey.config.in_channels == len(grey.card.mean) == len(grey.card.std) == 1
    assert grey.card.mean[0] == pytest.approx(sum((0.485, 0.456, 0.406)) / 3)
    same = convert(file, tmp_path / "s.safetensors", "--in-channels", "3")
    assert same.card == open_weights(file).card
    five = convert(file, tmp_path / "5.safetensors", "--in-channels", "5", "--rule", "repeat")
    assert five.card.mean == (0.485, 0.456, 0.406, 0.485, 0.456)
    new = convert(file, tmp_path / "n.safetensors", "--num-classes", "3", "--seed", "4")
    assert (new.config.num_classes, new.card.classes, new.card.metrics) == (3, (), {})
    assert torch.equal(new.state["conv1.weight"], open_weights(file).state["conv1.weight"])
    video = convert(file, tmp_path / "v.safetensors", "--ndim", "3")
    assert resnext.load(tmp_path / "v.safetensors")(torch.zeros(1, 3, 16, 32, 32)).shape == (1, 6)
    assert video.config.ndim == 3  # type: ignore[union-attr]  # a ResNeXt's


def test_the_json_says_what_was_written(file: Path, tmp_path: Path, command: Command) -> None:
    facts = command.json("convert", file, tmp_path / "a.pth", "--format", "torchvision")
    assert facts["network"] == NAME
    assert (facts["num_classes"], facts["format"]) == (6, "torchvision")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rule", "repeat"], "--rule repeat"),
        (["--seed", "3"], "belongs to --num-classes"),
        (["--in-channels", "1", "--ndim", "3"], "convert twice"),
        (["--cardinality", "3"], "can be written with 1, 2, 4, 8, 16, 32"),
        (["--in-channels", "0"], "in_channels"),
    ],
)
def test_flags_that_do_not_fit_are_one_message(
    file: Path, tmp_path: Path, command: Command, flags: list[str], message: str
) -> None:
    assert message in command.refusal("convert", file, tmp_path / "x.safetensors", *flags)
    assert not (tmp_path / "x.safetensors").exists()


def test_an_existing_file_is_not_replaced_unasked(
    file: Path, tmp_path: Path, command: Command
) -> None:
    target = tmp_path / "x.safetensors"
    target.write_text("precious")
    assert "--force" in command.refusal("convert", file, target)
    assert target.read_text() == "precious"
    convert(file, target, "--force")


def test_a_network_that_a_library_cannot_build_is_refused_with_the_reasons() -> None:
    assert why_not_torchvision(config_from("resnet18")) == ""
    cifar = why_not_torchvision(config_from("resnext29_8x64d"))
    assert "CIFAR" in cifar
    assert "3 stages" in cifar
    odd = config_from(NAME, shortcut="C", preactivation=True, stem_width=32)
    for reason in ("type C", "pre-activated", "32 channels"):
        assert reason in why_not_torchvision(odd)


def test_the_side_of_zero_padding_is_asked_once_and_written_down(
    tmp_path: Path, command: Command
) -> None:
    config = config_from("resnet_1-1_basic_cifar", shortcut="A", stage_widths=(8, 16), stem_width=8)
    state = create_model(config).state_dict()
    torch.save(state, tmp_path / "w.pth")
    assert "--shortcut-padding end|both" in command.refusal(
        "convert", tmp_path / "w.pth", tmp_path / "a"
    )
    end = convert(tmp_path / "w.pth", tmp_path / "end", "--shortcut-padding", "end")
    both = convert(tmp_path / "w.pth", tmp_path / "both", "--shortcut-padding", "both")
    assert torch.equal(end.state["fc.weight"], state["fc.weight"])
    assert not torch.equal(both.state["fc.weight"], state["fc.weight"])
    assert both.assumed == ()
