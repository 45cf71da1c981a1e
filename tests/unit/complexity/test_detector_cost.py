"""The cost of a detector is that of the graph that torch executes, part by part."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from command import Command
from small_detector import SMALL
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import detection

import resnext
from resnext.complexity.cost import Cost
from resnext.complexity.detector import Regions, count_detector, count_parts, padded_sides
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig
from resnext.model.create import create_model
from resnext.model.names import parse_name

WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class Executed:
    """Figures of one run, by the first words of a module's name."""

    def __init__(self, network: nn.Module, image: torch.Tensor) -> None:
        self.activations = self.biases = 0
        self.num_rows = {"roi_heads.box_predictor.cls_score": 0}
        for name, layer in network.named_modules():
            if isinstance(layer, WEIGHTED):
                layer.register_forward_hook(self._seen(name))
        with FlopCounterMode(display=False) as flops, torch.no_grad():
            network([image])
        self.macs = flops.get_total_flops() // 2 + self.biases

    def _seen(self, name: str) -> Any:
        def see(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
            self.activations += output.numel()
            self.biases += output.numel() if layer.bias is not None else 0
            self.num_rows[name] = len(output)

        return see


def executed_and_counted(config: DetectorConfig) -> tuple[Executed, Cost, nn.Module]:
    torch.manual_seed(0)
    network = create_model(config).eval()
    transform: Any = network
    if config.family == "mask_rcnn":
        transform.roi_heads.score_thresh = 0.0  # so that there are objects with masks
    executed = Executed(network, torch.rand(3, 50, 90))
    regions = Regions(
        boxes=executed.num_rows["roi_heads.box_predictor.cls_score"],
        masks=executed.num_rows.get("roi_heads.mask_predictor.mask_fcn_logits", 0),
    )
    return executed, count_detector(config, (50, 90), regions), network


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"family": family, "version": version}
            for family in ("retinanet", "faster_rcnn", "mask_rcnn")
            for version in (1, 2)
        ),
        {"family": "faster_rcnn_c4"},
        {"family": "faster_rcnn_c4", "frozen_norm": True},
        {"family": "retinanet", "pyramid_channels": 32},
        {"family": "mask_rcnn", "pyramid_channels": 48},
        {"family": "mask_rcnn", "pyramid_channels": 64, "version": 2},
    ],
)
def test_the_cost_is_that_of_the_executed_graph(changes: dict[str, Any]) -> None:
    config = SMALL.replace(**changes)
    executed, cost, network = executed_and_counted(config)
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    assert cost.macs == executed.macs
    assert cost.activations == executed.activations
    modules = {name for name, _ in network.named_modules()}
    assert {layer.name for layer in cost.layers} <= modules
    parts = count_parts(cost)
    assert sum(part.macs for part in parts) == cost.macs
    roots = {
        "backbone": ["backbone.body"],
        "neck": ["backbone.fpn"],
        "rpn": ["rpn"],
        "head": ["head", "roi_heads"],
    }
    for part in parts:
        wanted = sum(
            p.numel()
            for name, p in network.named_parameters()
            if any(name.startswith(f"{root}.") for root in roots[part.name])
        )
        assert part.parameters == wanted, part.name


PUBLISHED = {
    "retinanet_resnet50_fpn": detection.RetinaNet_ResNet50_FPN_Weights.COCO_V1,
    "retinanet_resnet50_fpn_v2": detection.RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1,
    "fasterrcnn_resnet50_fpn": detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1,
    "fasterrcnn_resnet50_fpn_v2": detection.FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn": detection.MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn_v2": detection.MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_parameters_are_those_that_torchvision_publishes(name: str) -> None:
    config = parse_name(name)
    assert isinstance(config, DetectorConfig)
    config = config.replace(frozen_norm=config.version == 1)  # as these were trained
    assert resnext.count(config).parameters == PUBLISHED[name].meta["num_params"]


def test_a_frozen_norm_has_nothing_to_train() -> None:
    config = SMALL.replace(frozen_norm=True)
    trainable = sum(p.numel() for p in create_model(config).parameters())
    assert resnext.count(config).parameters == trainable


@pytest.mark.parametrize("sides", [(800, 1333), (480, 640), (1000, 300), (333, 501), (7, 5)])
def test_an_image_is_resized_and_padded_as_by_torchvision(sides: tuple[int, int]) -> None:
    config = SMALL.replace(min_size_px=80, max_size_px=133)
    transform: Any = create_model(config).transform
    images, _ = transform.eval()([torch.zeros(3, *sides)])
    assert padded_sides(config, sides) == tuple(images.tensors.shape[-2:])


def test_an_image_of_which_nothing_would_be_left_is_refused() -> None:
    with pytest.raises(ConfigError, match="an image of 1000x1 pixels is too long and narrow"):
        resnext.count(SMALL, (1000, 1))


def test_describe_shows_a_detector_by_part(command: Command) -> None:
    asked = [
        "resnet18",
        "--task",
        "detection",
        "--head",
        "faster_rcnn",
        "--num-classes",
        "3",
        "--input",
        "3x96x128",
    ]
    found = command.json("describe", *asked)
    assert [part["name"] for part in found["parts"]] == ["backbone", "neck", "rpn", "head"]
    assert sum(part["macs"] for part in found["parts"]) == found["macs"]
    named = command.json("describe", "fasterrcnn_resnet18", *asked[-4:])
    assert named["macs"] == found["macs"]
    text = command.prints("describe", *asked)
    assert "The box head is counted for 1,000 regions." in text
    assert "neck" in text


def test_the_usual_head_finds_objects_in_one_step(command: Command) -> None:
    asked = ["resnet18", "--task", "detection", "--num-classes", "3", "--input", "3x96x128"]
    assert command.json("describe", *asked)["config"]["family"] == "retinanet"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("resnet18 --head retinanet", "goes with --task detection"),
        ("resnet18 --task detection --head fcn", "goes with --task segmentation"),
        ("retinanet_resnet18 --task detection --head retinanet", "is given with its head"),
        ("resnet18 --task detection --aux-head", "--aux-head goes with --task segmentation"),
    ],
)
def test_a_head_of_another_task_is_refused(command: Command, flags: str, told: str) -> None:
    assert told in command.refusal("describe", *flags.split())
