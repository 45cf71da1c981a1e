"""One cell of the architecture table: a stage's layers, drawn as in the paper.

Source: arXiv 1611.05431, table 1 (form c) and figure 3 (forms a and b).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resnext.complexity.cost import Cost, StageCost
from resnext.complexity.shape import Shape
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
    body_of,
)
from resnext.model.parts import BlockPart, StemPart
from resnext.model.plan import BlockPlan, plan_network


def stage_title(name: str) -> str:
    """Return the paper's name for a stage: conv1 for the stem, conv2 for layer1, and so on."""
    if name == "stem":
        return "conv1"
    if name == "head":
        return "fc"
    number = name.removeprefix("layer")
    return f"conv{int(number) + 1}" if number.isdigit() else name


def stage_output(config: ModelConfig, cost: Cost, stage: StageCost) -> Shape:
    """Return a stage's output map; the paper assigns the pooling after the stem to conv2."""
    has_pool = isinstance(config, ResNeXtConfig) and isinstance(config.stem, str)
    return cost.layers[0].output if stage.name == "stem" and has_pool else stage.output


def stage_cell(config: ModelConfig, cost: Cost, name: str) -> str:
    """Draw one stage of a network.

    Args:
        config: The network.
        cost: Its cost.
        name: Name of the stage: `stem`, `layer1`, ..., `head`.

    Returns:
        Lines of ASCII; empty if the network has no such stage.
    """
    if isinstance(config, BaselineConfig):
        return _baseline(config, cost) if name == "stem" else ""
    if isinstance(config, SegmenterConfig):
        return (
            _segmenter_head(config) if name == "head" else stage_cell(config.backbone, cost, name)
        )
    if isinstance(config, DetectorConfig):
        parts = _detector_parts(config)
        return parts[name] if name in parts else stage_cell(config.backbone, cost, name)
    plan = plan_network(config)
    if name == "stem":
        if isinstance(config.stem, StemPart):
            return f"{config.stem.title}, {plan.stem.out_channels}, stride {plan.stem.stride}"
        stride = f", stride {plan.stem.stride}" if plan.stem.stride > 1 else ""
        layer = f"{_kernel(plan.stem.kernel, config)}, {plan.stem.out_channels}{stride}"
        if config.embedding is None:
            return layer
        return f"{config.embedding.num_tokens} tokens, {plan.stem.in_channels}-d\n{layer}"
    if name == "head":
        classifier = f"\n{config.num_classes}-d fc, softmax" if config.num_classes else ""
        return f"global average pool{classifier}"
    stage = int(name.removeprefix("layer")) - 1
    if stage >= len(plan.stages):
        return ""
    pool = [f"{_kernel(3, config)} max pool, stride 2"] if plan.stem.pool and stage == 0 else []
    blocks = plan.stages[stage]
    dilation = [f"dilation {_dilation(blocks)}"] if blocks[-1].last_dilation > 1 else []
    layers = _bracket(_block_layers(config, blocks[0]), len(blocks))
    return "\n".join([*pool, *layers, *dilation])


def variant(config: ModelConfig) -> list[str]:
    """Return the differences between a network and the default of its name, one per line."""
    config = body_of(config)
    if isinstance(config, BaselineConfig):
        return []
    lines = []
    if config.form != "c":
        lines.append(f"form {config.form}")
    if config.shortcut != "B":
        shortcut = config.shortcut if isinstance(config.shortcut, str) else config.shortcut.title
        lines.append("no shortcut" if shortcut == "none" else f"shortcut {shortcut}")
    if config.preactivation:
        lines.append("pre-activation")
    if config.output_stride is not None:
        lines.append(f"output stride {config.output_stride}")
    return lines


def _segmenter_head(config: SegmenterConfig) -> str:
    lines = {
        "fcn": ["FCN head", "bilinear resize to the image"],
        "deeplabv3": ["DeepLabV3 head", "bilinear resize to the image"],
        "unet": ["U-Net decoder"],
        "fpn": ["FPN decoder", "bilinear resize to the image"],
    }[config.family]
    return "\n".join([f"{lines[0]}, {config.num_classes}", *lines[1:]])


def _detector_parts(config: DetectorConfig) -> dict[str, str]:
    """Say what stands behind the backbone, by part."""
    if config.family == "retinanet":
        head = "4 conv, class scores; 4 conv, box\nshared by 5 maps"
        return {
            "neck": f"feature pyramid, {config.pyramid_channels}, 5 maps",
            "head": f"{head}; {config.num_classes}",
        }
    if config.family == "faster_rcnn_c4":
        return {
            "rpn": "1 conv, objectness and box\non one map",
            "head": f"layer4 on each region, mean, {config.num_classes} classes",
        }
    boxes = "2 fc, 1024" if config.version == 1 else "4 conv, 1 fc, 1024"
    masks = "\n4 conv, mask 28x28" if config.family == "mask_rcnn" else ""
    return {
        "neck": f"feature pyramid, {config.pyramid_channels}, 5 maps",
        "rpn": f"{config.version} conv, objectness and box\nshared by 5 maps",
        "head": f"{boxes}, {config.num_classes} classes{masks}",
    }


def _dilation(blocks: Sequence[BlockPlan]) -> str:
    """Return the dilation of a stage's blocks; the first has that of the previous stage."""
    first, last = blocks[0].dilation, blocks[-1].last_dilation
    return str(last) if first == last else f"{last} (first block {first})"


def _block_layers(config: ResNeXtConfig, block: BlockPlan) -> list[str]:
    one, three = _kernel(1, config), _kernel(3, config)
    if isinstance(config.block, BlockPart):
        return config.block.describe(block)
    if config.block == "basic":
        return [f"{three}, {block.group_width}", f"{three}, {block.out_channels}"]
    last = f"{one}, {block.out_channels}"
    if config.form == "c":
        groups = f", C={block.cardinality}" if block.cardinality > 1 else ""
        return [f"{one}, {block.group_width}", f"{three}, {block.group_width}{groups}", last]
    paths = f" ({block.cardinality} paths)"
    layers = [f"{kernel}, {block.path_width}{paths}" for kernel in (one, three)]
    return [*layers, last + paths if config.form == "a" else last]


def _bracket(layers: Sequence[str], times: int) -> list[str]:
    """Stack layers in brackets, with the number of blocks at mid-height."""
    width, middle = max(len(layer) for layer in layers), len(layers) // 2
    return [
        f"[ {layer:<{width}} ]{f' x{times}' if line == middle else ''}"
        for line, layer in enumerate(layers)
    ]


def _baseline(config: BaselineConfig, cost: Cost) -> str:
    kinds = Counter(layer.kind for layer in cost.layers)
    return f"torchvision's\n{kinds['conv']} conv, {kinds['linear']} fc ({config.num_classes}-d)"


def _kernel(side: int, config: ResNeXtConfig) -> str:
    return "x".join([str(side)] * config.ndim)
