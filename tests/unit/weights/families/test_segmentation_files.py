"""Segmentation networks of other libraries: their files give their scores, or one message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import segmentation

import resnext
from resnext.cli.main import main
from resnext.errors import CheckpointError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.names import name_of
from resnext.weights.families.segmentation import recognise_segmenter
from resnext.weights.own_file import save_weights

State = dict[str, torch.Tensor]

BODY = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    stage_widths=(16, 32, 48, 64),
    stem_width=8,
    cardinality=2,
    num_classes=0,
    output_stride=8,
)


def images() -> torch.Tensor:
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def theirs_of(name: str, *, aux: bool) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = getattr(segmentation, name)(
        weights=None, weights_backbone=None, num_classes=7, aux_loss=aux
    )
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "aux"),
    [
        ("fcn_resnet50", False),
        ("deeplabv3_resnet50", True),
        ("fcn_resnet101", True),
        ("deeplabv3_resnet101", False),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_torchvisions_files_give_its_scores(
    tmp_path: Path, name: str, aux: bool, suffix: str
) -> None:
    theirs, path = theirs_of(name, aux=aux), tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"model": theirs.state_dict(), "epoch": 3}, path)  # as its own training does
    else:
        save_file(theirs.state_dict(), path)
    loaded = resnext.load(path)
    assert isinstance(loaded.config, SegmenterConfig)
    assert (name_of(loaded.config), loaded.config.aux_head) == (name, aux)
    assert (loaded.config.num_classes, loaded.card.task) == (7, "segmentation")
    with torch.no_grad():
        assert torch.equal(loaded(images()), theirs(images())["out"])


@pytest.mark.slow
@pytest.mark.parametrize("family", ["unet", "fpn"])
def test_decoders_of_the_other_library_give_its_scores(tmp_path: Path, family: str) -> None:
    torch.manual_seed(0)
    kind: Any = {"unet": smp.Unet, "fpn": smp.FPN}[family]
    theirs = kind("resnet18", encoder_weights=None, classes=7).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights.pth")
    loaded = resnext.load(tmp_path / "weights.pth")
    assert name_of(loaded.config) == f"{family}_resnet18"
    with torch.no_grad():
        assert torch.equal(loaded(images()), theirs(images()))


def small(family: str = "fcn", *, aux: bool = False) -> tuple[SegmenterConfig, State]:
    config = SegmenterConfig(family=family, backbone=BODY, num_classes=5, aux_head=aux)
    return config, create_model(config).state_dict()


@pytest.mark.parametrize("family", ["fcn", "deeplabv3"])
@pytest.mark.parametrize("aux", [False, True])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_architecture_is_read_off_the_tensors(family: str, aux: bool, prefix: str) -> None:
    config, state = small(family, aux=aux)
    found = recognise_segmenter({prefix + name: tensor for name, tensor in state.items()})
    assert found is not None
    assert found[1] == config
    assert set(found[0].state) == set(state)


def without(*starts: str) -> Callable[[State], State]:
    return lambda state: {k: v for k, v in state.items() if not k.startswith(starts)}


def widened(state: State) -> State:
    return state | {"classifier.0.weight": torch.zeros(16, 64, 5, 5)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("classifier.4"), r"nearly fcn .* lacks the last convolution of its head"),
        (without("classifier.1"), "do not fit it: missing: classifier.1.weight"),
        (without("backbone.layer3.0.conv2"), "missing: backbone.layer3.0.conv2.weight"),
        (widened, "classifier.0.weight is 16x64x5x5 instead of 16x64x3x3"),
        (lambda state: state | {"backbone.layer2.0.se.weight": torch.zeros(3)}, "extra"),
        (lambda state: state | {"extra.weight": torch.zeros(3)}, "extra: extra.weight"),
        (
            lambda state: state | {"classifier.4.bias": torch.full((5,), torch.nan)},
            "contains NaN or infinite values",
        ),
    ],
)
def test_what_is_nearly_such_a_network_is_refused(
    tmp_path: Path, change: Callable[[State], State], told: str
) -> None:
    save_file(change(small()[1]), tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match=told):
        resnext.load(tmp_path / "weights.safetensors")


def test_a_classifier_with_layers_of_these_names_is_none() -> None:
    body = {name: value for name, value in small()[1].items() if name.startswith("backbone.")}
    linear = {"classifier.0.weight": torch.zeros(8, 64), "classifier.4.weight": torch.zeros(3, 8)}
    pointwise = {"classifier.0.weight": torch.zeros(3, 64, 1, 1)}
    assert recognise_segmenter(body) is None
    assert recognise_segmenter(body | linear) is None
    assert recognise_segmenter(body | pointwise) is None


def test_the_backbone_is_taken_alone_and_the_step_may_change(tmp_path: Path) -> None:
    config, state = small()
    save_file(state, tmp_path / "weights.safetensors")
    backbone = resnext.load(tmp_path / "weights.safetensors", out_indices=(3, 4))
    assert backbone.module.feature_info.channels() == [48, 64]
    network = create_model(config)
    network.load_state_dict(state)
    with torch.no_grad():
        expected = network.eval().backbone(images())[-1]
        assert torch.equal(backbone(images())[-1], expected)
    wider = resnext.load(tmp_path / "weights.safetensors", output_stride=16)
    assert wider.config == config.replace(backbone=BODY.replace(output_stride=16))


def test_the_classes_of_torchvisions_weights_are_named(tmp_path: Path) -> None:
    config = small()[0].replace(num_classes=21)
    save_file(create_model(config).state_dict(), tmp_path / "weights.safetensors")
    classes = resnext.load(tmp_path / "weights.safetensors").card.classes
    assert (classes[0], classes[15], len(classes)) == ("background", "person", 21)


def test_convert_and_describe_take_such_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, state = small(aux=True)
    first, ours = tmp_path / "theirs.safetensors", tmp_path / "ours.safetensors"
    save_file(state, first)
    assert main(["convert", str(first), str(ours)]) == 0
    assert main(["describe", str(ours), "--input", "3x64x96", "--json"]) == 0
    told = capsys.readouterr().out
    assert "fcn_resnext14_2x4d, 5 classes" in told
    assert resnext.load(ours).config == config
    for file in (first, ours):
        loaded = resnext.load(file).module.state_dict()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())


@pytest.mark.slow
def test_a_network_of_torchvisions_goes_back_to_its_format(tmp_path: Path) -> None:
    network = create_model("fcn_resnet50", num_classes=7).eval()
    save_weights(tmp_path / "a.safetensors", network, network.config, ModelCard())
    command = [str(tmp_path / name) for name in ("a.safetensors", "b.pth")]
    assert main(["convert", *command, "--format", "torchvision"]) == 0
    theirs = theirs_of("fcn_resnet50", aux=False)
    theirs.load_state_dict(torch.load(tmp_path / "b.pth"))
    with torch.no_grad():
        assert torch.equal(theirs(images())["out"], network(images()))
    unet = create_model("unet_resnet18")
    save_weights(tmp_path / "u.safetensors", unet, unet.config, ModelCard())
    command = [str(tmp_path / name) for name in ("u.safetensors", "u.pth")]
    assert main(["convert", *command, "--format", "torchvision"]) == 2
