"""The cost of a network that finds objects, by arithmetic alone.

The pyramid and the heads are torchvision's; the tests hold every figure against an execution. Boxes
are made of scores, sorted and thinned without multiply-adds that are counted; the memory of that is
left out too. Heads that look again at regions are counted for a stated number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from resnext.complexity.cost import Cost, LayerCost, StageCost, sum_stages
from resnext.complexity.flow import Flow, Map, record
from resnext.complexity.region_heads import run_box_head, run_last_stage, run_mask_head
from resnext.complexity.residual import run_stages
from resnext.complexity.shape import Shape, Sides
from resnext.model.detector_config import NUM_GROUPS, NUM_TESTED, DetectorConfig
from resnext.model.plan import plan_network

_ANCHORS = {"retinanet": 9, "faster_rcnn": 3, "mask_rcnn": 3}
"""At a position of a map, with a pyramid."""

_RATIOS = 3
"""Of the anchors of one size."""

_SIZE_MULTIPLE = 32
_PARTS = {"backbone.fpn": "neck", "rpn": "rpn", "head": "head", "roi_heads": "head"}


@dataclass(frozen=True)
class Regions:
    """How much the second stage of a detector looks at.

    Attributes:
        boxes: Regions whose class and place are found: at most those of torchvision in inference.
        masks: Objects that get a mask: at most as many as are given out.
    """

    boxes: int = 1000
    masks: int = 100


def most_regions(config: DetectorConfig) -> Regions:
    """Return how much a detector looks at, at most, in inference."""
    return Regions(boxes=NUM_TESTED) if config.family == "faster_rcnn_c4" else Regions()


def count_detector(config: DetectorConfig, sides: Sides, regions: Regions | None = None) -> Cost:
    """Count a network on an image of these sides, which it resizes and pads first.

    Args:
        config: The network.
        sides: Of the image before the network, in pixels.
        regions: What the second stage looks at, if there is one; by default the most.
    """
    regions = regions or most_regions(config)
    image = Shape(config.in_channels, padded_sides(config, sides))
    outputs, recorded = record(lambda flow: _run(flow, config, regions), image)
    layers = tuple(_as_built(layer, config) for layer in _merged(recorded.layers))
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=layers,
        stages=_stages(layers, outputs),
        peak_activation_bytes=recorded.peak_bytes,
        training_activation_bytes=recorded.kept_bytes,
        notes=_notes(config, image, regions),
    )


def count_parts(cost: Cost) -> tuple[StageCost, ...]:
    """Add the cost of a network up by part: `backbone`, `neck`, `rpn` (of two stages), `head`."""
    body = [stage for stage in cost.stages if stage.name not in _PARTS.values()]
    backbone = StageCost(
        "backbone",
        body[-1].output,
        sum(stage.parameters for stage in body),
        sum(stage.macs for stage in body),
        sum(stage.activations for stage in body),
    )
    return (backbone, *cost.stages[len(body) :])


def padded_sides(config: DetectorConfig, sides: Sides) -> Sides:
    """Return the sides of an image as the network resizes and pads it, in pixels."""
    return tuple(side + -side % _SIZE_MULTIPLE for side in config.resized_sides(sides))


def _notes(config: DetectorConfig, image: Shape, regions: Regions) -> tuple[str, ...]:
    height, width = image.sides
    notes = [f"The image is resized and padded to {height}x{width}."]
    if config.family != "retinanet":
        notes.append(f"The box head is counted for {regions.boxes:,} regions.")
    if config.family == "mask_rcnn":
        notes.append(f"The mask head is counted for {regions.masks} objects.")
    return tuple(notes)


def _run(flow: Flow, config: DetectorConfig, regions: Regions) -> dict[str, Shape]:
    """Run the network on the flow's image.

    Returns:
        Shape of the last map of each stage and of each other part, in order.
    """
    plan = plan_network(config.backbone)
    if config.family == "faster_rcnn_c4":
        plan = replace(plan, stages=plan.stages[:-1])
    maps, outputs = run_stages(flow, plan, config.backbone, flow.image)
    if config.family == "faster_rcnn_c4":
        outputs["rpn"] = _proposals(flow, config, maps[-1:])
        outputs["head"] = run_last_stage(flow, config, maps[-1], regions.boxes).shape
        return outputs
    is_retinanet = config.family == "retinanet"
    levels = _pyramid(flow, config, maps[2:] if is_retinanet else maps[1:])
    outputs["neck"] = levels[0].shape
    if is_retinanet:
        outputs["head"] = _retina_head(flow, config, levels)
        return outputs
    outputs["rpn"] = _proposals(flow, config, levels)
    outputs["head"] = run_box_head(flow, config, levels[0], regions.boxes).shape
    if config.family == "mask_rcnn":
        outputs["head"] = run_mask_head(flow, config, levels[0], regions.masks).shape
    return outputs


def _pyramid(flow: Flow, config: DetectorConfig, maps: Sequence[Map]) -> list[Map]:
    """Run the pyramid from the last map down, and make the maps beyond it."""
    above: Map | None = None
    levels: list[Map] = []
    for number, x in reversed(list(enumerate(maps))):
        inner = _lateral(flow, config, f"inner_blocks.{number}", x, 1)
        if above is not None:
            inner = flow.add_anew(inner, flow.resize(above, inner.shape.sides))
        above = inner
        level = _lateral(flow, config, f"layer_blocks.{number}", inner, 3)
        levels.insert(0, level)
    if config.family != "retinanet":
        last = levels[-1].shape
        sides = tuple((side + 1) // 2 for side in last.sides)
        return [*levels, flow.resize(levels[-1], sides)]  # every second position
    is_second = config.version == 2 and maps[-1].shape.channels != config.pyramid_channels
    name = "backbone.fpn.extra_blocks"
    start = maps[-1] if is_second else levels[-1]
    sixth = flow.conv(f"{name}.p6", start, config.pyramid_channels, 3, 2, bias=True)
    active = flow.relu(flow.resize(sixth, sixth.shape.sides))  # a copy, since the map is read again
    seventh = flow.conv(f"{name}.p7", active, config.pyramid_channels, 3, 2, bias=True)
    return [*levels, sixth, seventh]


def _lateral(flow: Flow, config: DetectorConfig, name: str, x: Map, kernel: int) -> Map:
    has_norm = config.version == 2 and config.family != "retinanet"
    name = f"backbone.fpn.{name}"
    y = flow.conv(f"{name}.0", x, config.pyramid_channels, kernel, bias=not has_norm)
    return flow.norm(f"{name}.1", y) if has_norm else y


def _retina_head(flow: Flow, config: DetectorConfig, levels: Sequence[Map]) -> Shape:
    num_anchors = _ANCHORS[config.family]
    outputs = {"cls_logits": num_anchors * (config.num_classes + 1), "bbox_reg": 4 * num_anchors}
    parts = {"cls_logits": "head.classification_head", "bbox_reg": "head.regression_head"}
    for last, part in parts.items():
        for x in levels:
            for number in range(4):
                x = _retina_layer(flow, f"{part}.conv.{number}", x, config.version)
            flow.conv(f"{part}.{last}", x, outputs[last], 3, bias=True)
    return Shape(outputs["cls_logits"], levels[0].shape.sides)


def _retina_layer(flow: Flow, name: str, x: Map, version: int) -> Map:
    if version == 1:
        return flow.relu(flow.conv(f"{name}.0", x, x.shape.channels, 3, bias=True))
    x = flow.conv(f"{name}.0", x, x.shape.channels, 3)
    return flow.relu(flow.group_norm(f"{name}.1", x, NUM_GROUPS))


def _proposals(flow: Flow, config: DetectorConfig, levels: Sequence[Map]) -> Shape:
    num_anchors = _ANCHORS.get(config.family, _RATIOS * len(config.anchor_sizes_px))
    for x in levels:
        for number in range(config.version):
            name = f"rpn.head.conv.{number}.0"
            x = flow.relu(flow.conv(name, x, x.shape.channels, 3, bias=True))
        flow.conv("rpn.head.cls_logits", x, num_anchors, 1, bias=True)
        flow.conv("rpn.head.bbox_pred", x, 4 * num_anchors, 1, bias=True)
    return Shape(num_anchors, levels[0].shape.sides)


def _merged(layers: Sequence[LayerCost]) -> list[LayerCost]:
    """Make one row of a layer that runs on several maps; its parameters are there once."""
    found: dict[str, LayerCost] = {}
    for layer in layers:
        first = found.get(layer.name)
        found[layer.name] = (
            layer
            if first is None
            else replace(
                first,
                macs=first.macs + layer.macs,
                activations=first.activations + layer.activations,
            )
        )
    return list(found.values())


def _as_built(layer: LayerCost, config: DetectorConfig) -> LayerCost:
    """Give a layer of the backbone the name and the trainable numbers that it has here."""
    is_last = layer.name.startswith("roi_heads.box_head.layer4.")
    if _part(layer.name) != "backbone" and not is_last:
        return layer
    parameters = 0 if layer.kind == "norm" and config.frozen_norm else layer.parameters
    name = layer.name if is_last else f"backbone.body.{layer.name}"
    return replace(layer, name=name, parameters=parameters)


def _part(name: str) -> str:
    found = (part for start, part in _PARTS.items() if name.startswith(f"{start}."))
    return next(found, "backbone")


def _stages(layers: Sequence[LayerCost], outputs: dict[str, Shape]) -> tuple[StageCost, ...]:
    """Add the layers up by stage of the backbone and by part."""
    body = "backbone.body."
    short = [
        replace(layer, name=layer.name.removeprefix(body))
        if layer.name.startswith(body)
        else replace(layer, name=f"{_part(layer.name)}.{layer.name}")
        for layer in layers
    ]
    return sum_stages(short, outputs)
