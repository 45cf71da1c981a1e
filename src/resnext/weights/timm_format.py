"""The name and arguments with which timm builds one of our networks, if it can.

timm's ResNet has a 7x7 stem of 64 channels and four stages. Stage i has `channels[i]` planes, 4 *
planes outputs in a bottleneck, and floor(planes * base_width / 64) * cardinality channels in its
3x3 convolution. Its tensors have torchvision's names, which are ours in form (c), so only the
architecture must be specified. Nothing here needs torch.

Source: timm/models/resnet.py, `ResNet`, `Bottleneck`, `BasicBlock` and `make_blocks`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from resnext.model.classifiers import describe_other
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
    describe_parts,
)
from resnext.model.plan import plan_network

_NUM_STAGES = 4
_STEM_WIDTH = 64
_BASE_PLANES = 64
_EXPANSION = 4
_OUTPUT_STRIDES = (None, 8, 16)


def _bottleneck(
    layers: tuple[int, ...], cardinality: int = 1, base_width: int = 64
) -> dict[str, Any]:
    return {"layers": list(layers), "cardinality": cardinality, "base_width": base_width}


_BASIC = {
    "resnet18": {"layers": [2, 2, 2, 2]},
    "resnet34": {"layers": [3, 4, 6, 3]},
}
_BOTTLENECK = {
    "resnext50_32x4d": _bottleneck((3, 4, 6, 3), 32, 4),
    "resnext101_32x4d": _bottleneck((3, 4, 23, 3), 32, 4),
    "resnext101_32x8d": _bottleneck((3, 4, 23, 3), 32, 8),
    "resnext101_32x16d": _bottleneck((3, 4, 23, 3), 32, 16),
    "resnext101_32x32d": _bottleneck((3, 4, 23, 3), 32, 32),
    "resnext101_64x4d": _bottleneck((3, 4, 23, 3), 64, 4),
    "resnet26": _bottleneck((2, 2, 2, 2)),
    "resnet50": _bottleneck((3, 4, 6, 3)),
    "resnet101": _bottleneck((3, 4, 23, 3)),
    "resnet152": _bottleneck((3, 8, 36, 3)),
    "resnet200": _bottleneck((3, 24, 36, 3)),
}
_DEFAULTS = {
    "channels": [_BASE_PLANES * 2**stage for stage in range(_NUM_STAGES)],
    "in_chans": 3,
    "output_stride": 32,
}


def to_timm(config: ModelConfig) -> dict[str, Any] | None:
    """Return how timm builds a network.

    Example:
        >>> from resnext.model.names import parse_name
        >>> to_timm(parse_name("resnext50_32x4d"))
        {'architecture': 'resnext50_32x4d', 'model_args': {}}
        >>> to_timm(parse_name("resnext50_8x14d"))["model_args"]
        {'cardinality': 8, 'base_width': 14}

    Args:
        config: The architecture, in any block form; the weights must be in form (c).

    Returns:
        `architecture`, timm's name, and `model_args`, the arguments that the name does not imply,
        as JSON values; neither includes the number of classes. None if timm has no such network:
        `why_not_timm` gives the reason.
    """
    if why_not_timm(config):
        return None
    assert isinstance(config, ResNeXtConfig)
    wanted = _arguments(config)
    differing = {
        name: {key: value for key, value in wanted.items() if args[key] != value}
        for name, args in _relatives(config).items()
    }
    nearest = min(differing, key=lambda name: len(differing[name]))
    return {"architecture": nearest, "model_args": differing[nearest]}


def why_not_timm(config: ModelConfig) -> str:
    """Describe what timm's ResNet does not support in a network; empty if nothing."""
    if isinstance(config, BaselineConfig):
        return f"{config.family} is not a ResNet"
    if isinstance(config, SegmenterConfig | DetectorConfig):
        return f"it {describe_other(config)} ({config.family})"
    if config.parts:
        return describe_parts(config)
    return "; ".join(filter(None, (_other_kind(config), _other_shape(config))))


def _other_kind(config: ResNeXtConfig) -> str:
    """Name the kinds of layers that timm's ResNet lacks."""
    reasons = {
        f"its inputs have {config.ndim} spatial dimension(s), not 2": config.ndim != 2,
        "its stem is CIFAR's 3x3": config.stem != "imagenet",
        "its blocks are pre-activated": config.preactivation,
        f"its shortcuts are of type {config.shortcut}": _has_other_shortcuts(config),
        f"its output stride is {config.output_stride}": (
            config.output_stride not in _OUTPUT_STRIDES
        ),
    }
    return "; ".join(reason for reason, applies in reasons.items() if applies)


def _other_shape(config: ResNeXtConfig) -> str:
    """Describe the shapes that timm's ResNet does not support."""
    num_stages = len(config.blocks_per_stage)
    if num_stages != _NUM_STAGES:
        return f"it has {num_stages} stages, not {_NUM_STAGES}"
    if config.stem_width != _STEM_WIDTH:
        return f"its stem has {config.stem_width} channels, not {_STEM_WIDTH}"
    inner = _path_widths(config)
    if config.block == "basic":
        is_plain = inner == config.stage_widths
        return "" if is_plain else "the two convolutions of its basic blocks differ in width"
    if any(width % _EXPANSION for width in config.stage_widths):
        return f"its stage widths {config.stage_widths} are not multiples of {_EXPANSION}"
    if _base_width(config) is None:
        return (
            f"no one base width gives paths of {inner} channels in stages of "
            f"{config.stage_widths} channels"
        )
    return ""


def _has_other_shortcuts(config: ResNeXtConfig) -> bool:
    """Return whether timm's type B shortcuts would make a different network."""
    return plan_network(config) != plan_network(config.replace(shortcut="B"))


def _relatives(config: ResNeXtConfig) -> dict[str, dict[str, Any]]:
    """Return the named networks with as many blocks, or the best-known one of its kind."""
    known = _BASIC if config.block == "basic" else _BOTTLENECK
    layers = list(config.blocks_per_stage)
    names = [name for name, args in known.items() if args["layers"] == layers]
    if config.block == "basic":
        names = names or ["resnet18"]
    else:
        names = names or ["resnet50" if config.cardinality == 1 else "resnext50_32x4d"]
    # At a tie the first one is taken: a ResNeXt for a ResNeXt.
    names.sort(key=lambda name: name.startswith("resnext") != (config.cardinality > 1))
    return {name: _DEFAULTS | known[name] for name in names}


def _arguments(config: ResNeXtConfig) -> dict[str, Any]:
    """Return the arguments of timm's ResNet, without those that are always the same."""
    expansion = 1 if config.block == "basic" else _EXPANSION
    arguments: dict[str, Any] = {"layers": list(config.blocks_per_stage)}
    if config.block == "bottleneck":
        arguments |= {"cardinality": config.cardinality, "base_width": _base_width(config)}
    return arguments | {
        "channels": [width // expansion for width in config.stage_widths],
        "in_chans": config.in_channels,
        "output_stride": config.output_stride or _DEFAULTS["output_stride"],
    }


def _base_width(config: ResNeXtConfig) -> int | float | None:
    """Return the base width from which timm derives the width of the paths in every stage.

    Stage i requires d_i <= planes_i * base_width / 64 < d_i + 1, an interval; a common value exists
    if the intervals overlap. An integer is preferred.
    """
    planes = [width // _EXPANSION for width in config.stage_widths]
    widths = _path_widths(config)
    pairs = list(zip(planes, widths, strict=True))
    least = max(Fraction(_BASE_PLANES * width, plane) for plane, width in pairs)
    limit = min(Fraction(_BASE_PLANES * (width + 1), plane) for plane, width in pairs)
    for candidate in (math.ceil(least), float(least), float((least + limit) / 2)):
        # timm's own arithmetic, whose rounding the interval does not know
        if all(math.floor(plane * (candidate / _BASE_PLANES)) == width for plane, width in pairs):
            return candidate
    return None


def _path_widths(config: ResNeXtConfig) -> tuple[int, ...]:
    """Return d of each stage."""
    return tuple(stage[0].path_width for stage in plan_network(config).stages)
