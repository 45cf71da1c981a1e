"""Networks that give every pixel a class: torchvision's weights, exact costs, names and files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import segmentation

import resnext
from resnext.cli.main import main
from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig, SegmenterConfig, config_from
from resnext.model.create import create_model
from resnext.model.names import name_of, parse_name
from resnext.model.segmenter import atrous_rates
from resnext.weights.own_file import save_weights

SMALL = SegmenterConfig(
    family="fcn",
    num_classes=5,
    backbone=ResNeXtConfig(
        blocks_per_stage=(1, 1, 1),
        stage_widths=(16, 32, 64),
        stem_width=8,
        cardinality=2,
        num_classes=0,
        output_stride=8,
    ),
)


def images(height: int = 65, width: int = 90) -> torch.Tensor:
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize("head", ["fcn", "deeplabv3"])
def test_torchvisions_state_dicts_load_and_give_its_scores(head: str) -> None:
    torch.manual_seed(0)
    theirs = getattr(segmentation, f"{head}_resnet50")(
        weights=None, weights_backbone=None, num_classes=7, aux_loss=True
    ).eval()
    config = parse_name(f"{head}_resnet50")
    assert isinstance(config, SegmenterConfig)
    ours = create_model(config, num_classes=7, aux_head=True).eval()
    ours.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        expected, (main, aux) = theirs(images()), ours.forward_with_aux(images())
        assert torch.equal(ours(images()), expected["out"])
    assert torch.equal(main, expected["out"])
    assert torch.equal(aux, expected["aux"])


@pytest.mark.parametrize("family", ["fcn", "deeplabv3"])
@pytest.mark.parametrize("stride", [8, 16])
def test_the_cost_is_that_of_the_executed_graph(family: str, stride: int) -> None:
    config = SMALL.replace(family=family, backbone=SMALL.backbone.replace(output_stride=stride))
    cost = count(config, (3, 48, 80))
    network = create_model(config).eval()
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 48, 80))
    last = cost.layers[-1]  # our count has its bias, torch's has not
    assert counter.get_total_flops() == 2 * (cost.macs - last.output.num_elements)
    assert {layer.name for layer in cost.layers} <= {
        name.rpartition(".")[0] for name in network.state_dict()
    }
    assert cost.stages[-1].name == "head"
    assert sum(stage.macs for stage in cost.stages) == cost.macs


@pytest.mark.parametrize(
    "name", ["fcn_resnet50", "deeplabv3_resnext50_32x4d", "fcn_resnext_1-2-1-1_32x4d"]
)
def test_names_are_read_and_written(name: str) -> None:
    config = parse_name(name)
    assert isinstance(config, SegmenterConfig)
    assert (config.backbone.output_stride, config.backbone.num_classes) == (8, 0)
    assert name_of(config) == name
    assert config_from(config.model_dump(mode="json")) == config


def test_a_setting_of_the_backbone_may_be_given_by_its_own_name() -> None:
    network = create_model("fcn_resnet18", in_channels=1, output_stride=32, num_classes=3)
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 3, 64, 64)


def test_the_dilations_follow_the_step_of_the_map() -> None:
    backbone = ResNeXtConfig(num_classes=0, output_stride=8)
    assert atrous_rates(backbone) == (12, 24, 36)
    assert atrous_rates(backbone.replace(output_stride=16)) == (6, 12, 18)


def test_any_size_of_image_gets_scores_of_that_size() -> None:
    network = create_model(SMALL).eval()
    for size in ((1, 1), (33, 7), (64, 64)):
        with torch.no_grad():
            assert network(images(*size)).shape == (2, 5, *size)


def test_a_weight_file_gives_the_network_back(tmp_path: Path) -> None:
    network = create_model(SMALL).eval()
    save_weights(tmp_path / "net.safetensors", network, SMALL, ModelCard())
    loaded = resnext.load(tmp_path / "net.safetensors")
    assert loaded.config == SMALL
    with torch.no_grad():
        assert torch.equal(loaded.module(images()), network(images()))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"backbone": SMALL.backbone.replace(num_classes=3)},
            "num_classes=3: the segmentation head replaces it",
        ),
        ({"backbone": SMALL.backbone.replace(ndim=1)}, "ndim=1: fcn only supports images"),
    ],
)
def test_what_no_head_can_stand_on_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SMALL.replace(**changes)


def test_a_segmenter_has_no_maps_to_choose() -> None:
    with pytest.raises(ConfigError, match="gives every pixel a class"):
        create_model("fcn_resnet50", out_indices=(1, 2))
    with pytest.raises(ConfigError, match="needs a residual network"):
        parse_name("fcn_vgg16")


@pytest.mark.slow
def test_what_takes_classifiers_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_weights(tmp_path / "net.safetensors", create_model(SMALL), SMALL, ModelCard())
    Image.new("RGB", (64, 64)).save("photo.png")
    for command, why in (
        ("train --data digits --model fcn_resnet18 --out run", "classifies the whole image"),
        ("predict net.safetensors photo.png", "classifies the whole image"),
        ("features net.safetensors digits --out features.parquet", "only supports classifiers"),
        ("export net.safetensors --out n.onnx --int8 --data digits", "the whole image"),
        ("export net.safetensors --out net.torchscript --to torchscript", "are exported to"),
    ):
        assert main(command.split()) == 2, command
        assert why in capsys.readouterr().err, command
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.safetensors", "photo.png"]
