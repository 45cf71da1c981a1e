"""Writes a detector as ONNX operators, from pixels to rows of objects."""

from __future__ import annotations

from typing import Any

import onnx
import torch
from torch import nn

from resnext.export.detectors import cut, suppress
from resnext.export.detectors.regions import RegionsGraph
from resnext.export.detectors.resize import put_before
from resnext.export.detectors.retinanet import RetinaNetGraph
from resnext.export.write_onnx import trace
from resnext.model.detector_config import DetectorConfig
from resnext.model.feature_info import feature_info
from resnext.model.plan import plan_network
from resnext.runtimes.spec import ExportSpec

_BLOCKS = (5, 7)  # sides of the example, in blocks to which images are padded


def trace_detector(network: nn.Module, config: DetectorConfig, spec: ExportSpec) -> onnx.ModelProto:
    """Write a detector as an ONNX model.

    Args:
        network: torchvision's network, in evaluation mode and in float32.
        config: Its architecture.
        spec: Its opset.
    """
    transform: Any = network.transform
    height, width = (number * transform.size_divisible for number in _BLOCKS)
    images_bchw = torch.zeros(2, config.in_channels, height, width)
    limits_4 = torch.tensor([width, height, width, height]).float()
    axes = {0: "batch", 2: "rows", 3: "columns"}
    program = trace(
        build_detector_graph(network, config),
        images_bchw,
        limits_4,
        torch.ones(4),
        opset_version=spec.opset,
        input_names=["images", "limits", "ratios"],
        output_names=["objects"],
        dynamic_shapes=(axes, {}, {}),
        custom_translation_table=cut.TRANSLATIONS | suppress.TRANSLATIONS,
    )
    model = put_before(program.model_proto, network)
    model.producer_name, model.producer_version = "resnext", spec.written_by
    return model


def build_detector_graph(network: nn.Module, config: DetectorConfig) -> nn.Module:
    """Return the part of a detector after resizing, with a fixed number of rows."""
    if config.family == "retinanet":
        return RetinaNetGraph(network).eval()
    return RegionsGraph(network, _strides(config)).eval()


def _strides(config: DetectorConfig) -> dict[str, int]:
    """Return the strides of the maps that regions are cut from, by name."""
    stages = (3,) if config.family == "faster_rcnn_c4" else (1, 2, 3, 4)
    strides = feature_info(plan_network(config.backbone), stages).reduction()
    return {str(number): stride for number, stride in enumerate(strides)}
