"""The cost of a network that gives every pixel a class, by arithmetic alone.

The heads are other libraries'; the tests hold every figure against an execution.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from resnext.complexity.cost import Cost, LayerCost, StageCost, sum_stages
from resnext.complexity.decoder import conv_norm, run_decoder
from resnext.complexity.flow import Flow, Map, record
from resnext.complexity.residual import run_stages
from resnext.complexity.shape import Shape
from resnext.model.choices import DECODERS
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


def count_parts(config: SegmenterConfig, cost: Cost) -> tuple[StageCost, ...]:
    """Add the cost of a network up by part.

    Args:
        config: The network.
        cost: What `count_segmenter` returned for it.

    Returns:
        `backbone` and `head`, which are all of `cost`, and with `aux_head` also `auxiliary head`,
        which only training runs and which `cost` leaves out.
    """
    *body, head = cost.stages
    backbone = StageCost(
        "backbone",
        body[-1].output,
        sum(stage.parameters for stage in body),
        sum(stage.macs for stage in body),
        sum(stage.activations for stage in body),
    )
    parts = (backbone, replace(head, name="head"))
    return (*parts, _auxiliary(config, body[-2].output, head)) if config.aux_head else parts


def _auxiliary(config: SegmenterConfig, source: Shape, head: StageCost) -> StageCost:
    run = partial(_fcn, num_classes=config.num_classes, part="aux_classifier")
    _, recorded = record(lambda flow: run(flow, flow.image), source)
    return StageCost(
        "auxiliary head",
        head.output,
        sum(layer.parameters for layer in recorded.layers),
        sum(layer.macs for layer in recorded.layers),
        sum(layer.activations for layer in recorded.layers),
    )


def run_segmenter(flow: Flow, config: SegmenterConfig) -> dict[str, Shape]:
    """Run the network on the flow's image.

    Returns:
        Shape of the last map of each stage and of the scores, in order.
    """
    sides, image = flow.image.shape.sides, flow.image
    if config.side_multiple > 1:
        image = flow.resize(image, tuple(side + -side % config.side_multiple for side in sides))
    plan = plan_network(config.backbone)
    maps, outputs = run_stages(flow, plan, config.backbone, image)
    if config.family in DECODERS:
        x = run_decoder(flow, config, maps, image.shape.sides)
        x = flow.resize(x, sides) if config.side_multiple > 1 else x
    else:
        run = _fcn if config.family == "fcn" else _deeplab
        x = flow.resize(run(flow, maps[-1], config.num_classes), sides)
    outputs["head"] = x.shape
    return outputs


def _named(layer: LayerCost) -> LayerCost:
    """Rename a layer of the backbone for the segmenter."""
    is_head = layer.name.startswith("classifier.")
    return layer if is_head else replace(layer, name=f"backbone.{layer.name}")


def _fcn(flow: Flow, x: Map, num_classes: int, part: str = "classifier") -> Map:
    x = conv_norm(flow, f"{part}.0", f"{part}.1", x, x.shape.channels // 4, 3)
    return flow.conv(f"{part}.4", flow.dropout(x), num_classes, 1, bias=True)


def _deeplab(flow: Flow, x: Map, num_classes: int) -> Map:
    name = "classifier.0.convs"
    parts = [conv_norm(flow, f"{name}.0.0", f"{name}.0.1", x, _HEAD_CHANNELS, 1)]
    parts += [
        conv_norm(flow, f"{name}.{n}.0", f"{name}.{n}.1", x, _HEAD_CHANNELS, 3)
        for n in range(1, 1 + _NUM_RATES)
    ]
    last = 1 + _NUM_RATES
    mean = flow.average_all(x)
    mean = conv_norm(flow, f"{name}.{last}.1", f"{name}.{last}.2", mean, _HEAD_CHANNELS, 1)
    parts.append(flow.resize(mean, x.shape.sides))
    x = flow.concatenate(*parts)
    project = "classifier.0.project"
    x = flow.dropout(conv_norm(flow, f"{project}.0", f"{project}.1", x, _HEAD_CHANNELS, 1))
    x = conv_norm(flow, "classifier.1", "classifier.2", x, _HEAD_CHANNELS, 3)
    return flow.conv("classifier.4", x, num_classes, 1, bias=True)
