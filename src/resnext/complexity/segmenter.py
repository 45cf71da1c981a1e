"""The cost of a network that gives every pixel a class, by arithmetic alone.

The heads are torchvision's; tests check every number against an execution.
"""

from __future__ import annotations

from dataclasses import replace

from resnext.complexity.cost import Cost, LayerCost, sum_stages
from resnext.complexity.flow import Flow, Map, record
from resnext.complexity.residual import run_stages
from resnext.complexity.shape import Shape
from resnext.model.config import SegmenterConfig
from resnext.model.plan import plan_network

_HEAD_CHANNELS = 256
_NUM_RATES = 3


def count_segmenter(config: SegmenterConfig, sides: tuple[int, ...]) -> Cost:
    """Count a network on an input of these sides; the second head is for training only."""
    outputs, recorded = record(
        lambda flow: run_segmenter(flow, config), Shape(config.in_channels, sides)
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=tuple(map(_named, recorded.layers)),
        stages=sum_stages(recorded.layers, outputs),
        peak_activation_bytes=recorded.peak_bytes,
        training_activation_bytes=recorded.kept_bytes,
    )


def run_segmenter(flow: Flow, config: SegmenterConfig) -> dict[str, Shape]:
    """Run the network on the flow's image.

    Returns:
        Shape of the last map of each stage and of the scores, in order.
    """
    plan = plan_network(config.backbone)
    x, outputs = run_stages(flow, plan, config.backbone)
    if config.family == "fcn":
        x = _fcn(flow, x, config.num_classes)
    else:
        x = _deeplab(flow, x, config.num_classes)
    x = flow.resize(x, flow.image.shape.sides)
    outputs["head"] = x.shape
    return outputs


def _named(layer: LayerCost) -> LayerCost:
    """Rename a layer of the backbone for the segmenter."""
    is_head = layer.name.startswith("classifier.")
    return layer if is_head else replace(layer, name=f"backbone.{layer.name}")


def _fcn(flow: Flow, x: Map, num_classes: int) -> Map:
    x = _conv(flow, "classifier.0", "classifier.1", x, x.shape.channels // 4, 3)
    return flow.conv("classifier.4", flow.dropout(x), num_classes, 1, bias=True)


def _deeplab(flow: Flow, x: Map, num_classes: int) -> Map:
    name = "classifier.0.convs"
    parts = [_conv(flow, f"{name}.0.0", f"{name}.0.1", x, _HEAD_CHANNELS, 1)]
    parts += [
        _conv(flow, f"{name}.{n}.0", f"{name}.{n}.1", x, _HEAD_CHANNELS, 3)
        for n in range(1, 1 + _NUM_RATES)
    ]
    last = 1 + _NUM_RATES
    mean = flow.average_all(x)
    mean = _conv(flow, f"{name}.{last}.1", f"{name}.{last}.2", mean, _HEAD_CHANNELS, 1)
    parts.append(flow.resize(mean, x.shape.sides))
    x = flow.concatenate(*parts)
    project = "classifier.0.project"
    x = flow.dropout(_conv(flow, f"{project}.0", f"{project}.1", x, _HEAD_CHANNELS, 1))
    x = _conv(flow, "classifier.1", "classifier.2", x, _HEAD_CHANNELS, 3)
    return flow.conv("classifier.4", x, num_classes, 1, bias=True)


def _conv(flow: Flow, conv: str, norm: str, x: Map, channels: int, kernel: int) -> Map:
    """Run a convolution, BN and ReLU."""
    return flow.relu(flow.norm(norm, flow.conv(conv, x, channels, kernel)))
