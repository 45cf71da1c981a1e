"""Parses and formats network names, such as `resnext50_32x4d`.

Grammar, with C the cardinality and d the width of a path in the first stage:

    resnext50_32x4d            ImageNet stem; depths 14, 26, 50, 101, 152, 200
    resnet101, resnet101_1x100d    cardinality 1; without a template 1x64d
    resnet18, resnet34         basic blocks
    resnext29_8x64d            CIFAR stem, three stages; any other depth 9n+2
    resnext101_32x4d_cifar     CIFAR where the depth could be either
    resnext_2-2-2-2_8x4d       blocks of each stage; ends in _cifar for that stem
    resnet_2-2-2-2_basic_cifar     the same with basic blocks
    resnext50_32x4d_NAME...    a registered block, stem or shortcut; see docs/custom-blocks.md
    fcn_NETWORK, deeplabv3_NETWORK, unet_NETWORK, fpn_NETWORK     a class for each pixel
    retinanet_NETWORK, fasterrcnn_NETWORK, maskrcnn_NETWORK       objects; _v2 may follow
    vgg16_bn, vgg19_bn, inception_v3   baselines; vgg16, vgg19 mean those with BN

Nothing here needs torch.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from resnext.errors import ConfigError
from resnext.model.choices import DECODERS, Head, Stem
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
)
from resnext.model.detector_names import split_detector_name, write_detector_name
from resnext.model.parts import BlockPart, Part
from resnext.model.presets import BASIC_STAGES, BOTTLENECK_STAGES, PRESETS
from resnext.model.registry import find_part
from resnext.model.template import num_layers, output_strides
from resnext.model.unknown_name import unknown_name
from resnext.plugins import ADVICE

_BASELINES = {
    "vgg16_bn": "vgg16_bn",
    "vgg16": "vgg16_bn",
    "vgg19_bn": "vgg19_bn",
    "vgg19": "vgg19_bn",
    "inception_v3": "inception_v3",
}
_HEADS: dict[str, Head] = {head: head for head in get_args(Head)}
_CONFIGS = (ResNeXtConfig, BaselineConfig, SegmenterConfig, DetectorConfig)
_HEAD_STRIDE = 8  # of torchvision's networks; decoders go back from smaller maps
_PATTERN = re.compile(
    r"(?P<kind>resnext|resnet)"
    r"(?:(?P<depth>[1-9]\d*)|_(?P<stages>[1-9]\d*(?:-[1-9]\d*)*))"
    r"(?:_(?P<cardinality>[1-9]\d*)x(?P<width>[1-9]\d*)d)?"
    r"(?P<basic>_basic)?(?P<cifar>_cifar)?(?P<own>(?:_[a-z][a-z0-9]*)*)"
)


def list_models() -> list[str]:
    """Return the names of well-known networks; the grammar of names allows many more."""
    return list(PRESETS)


def parse_name(name: str) -> ModelConfig:
    """Parse a network name.

    Args:
        name: See the grammar in this module's docstring. Case does not matter.

    Returns:
        The config, for 1000 classes with the ImageNet stem and 10 with the CIFAR stem.

    Raises:
        ConfigError: The name is invalid; the message lists similar valid ones.
    """
    text = name.strip().lower()
    head, _, rest = text.partition("_")
    if head in _HEADS and rest:
        return _parse_segmenter(head, rest, name)
    if detector := _parse_detector(text, name):
        return detector
    if text in _BASELINES:
        return BaselineConfig(family=_BASELINES[text])
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise unknown_name(name)
    parts = match.groupdict()
    cardinality, width = _template(name, parts)
    own = _own_parts(name, parts["own"] or "")
    stages, basic, stem = _shape(name, parts)
    _check_layers(name, parts, own, basic=basic)
    settings: dict[str, Any] = {"block": "basic" if basic else "bottleneck", "stem": stem}
    return ResNeXtConfig(
        blocks_per_stage=stages,
        cardinality=cardinality,
        bottleneck_width=width,
        num_classes=1000 if stem == "imagenet" else 10,
        **{**settings, **own},
    )


def is_name(text: str) -> bool:
    """Return whether a network has this name."""
    try:
        parse_name(text)
    except ConfigError:
        return False
    return True


def _parse_segmenter(head: str, rest: str, name: str) -> SegmenterConfig:
    """Parse the name of a head and its backbone, with the head's usual output stride."""
    backbone = parse_name(rest)
    if not isinstance(backbone, ResNeXtConfig):
        raise unknown_name(name, f"{head} needs a residual network")
    natural = output_strides(backbone.stem, len(backbone.blocks_per_stage))[-1]
    is_dilated = backbone.stem == "imagenet" and head not in DECODERS
    stride = min(natural, _HEAD_STRIDE) if is_dilated else None
    settings = {"num_classes": 0, "output_stride": stride}
    return SegmenterConfig(family=_HEADS[head], backbone=backbone.replace(**settings))


def _parse_detector(text: str, name: str) -> DetectorConfig | None:
    """Read the name of a network that finds objects; None for any other."""
    found = split_detector_name(text)
    if found is None:
        return None
    backbone = parse_name(found.backbone)
    if not isinstance(backbone, ResNeXtConfig):
        raise unknown_name(name, f"{found.family} goes with residual networks")
    backbone = backbone.replace(num_classes=0)
    return DetectorConfig(family=found.family, version=found.version, backbone=backbone)


def name_of(config: ModelConfig) -> str:
    """Return the canonical name of a network.

    It encodes head, stem, stages, block and template, and registered parts; `parse_name` restores
    them. Other settings (form, shortcut, classes, those of the parts, ...) are not part of a name.
    """
    if isinstance(config, BaselineConfig):
        return config.family
    if isinstance(config, SegmenterConfig):
        return f"{config.family}_{name_of(config.backbone)}"
    if isinstance(config, DetectorConfig):
        return write_detector_name(config, name_of(config.backbone))
    own = "".join(f"_{part.name}" for part in config.parts)
    return f"{_plain_name(config)}{own}"


def _plain_name(config: ResNeXtConfig) -> str:
    """Return the name of a network without its parts."""
    kind = "resnet" if config.cardinality == 1 else "resnext"
    template = "" if config.template == "1x64d" else f"_{config.template}"
    depth = _depth_name(config)
    if depth is not None:
        return f"{kind}{depth[0]}{template}{depth[1]}"
    stages = "-".join(str(num_blocks) for num_blocks in config.blocks_per_stage)
    basic = "_basic" if config.block == "basic" else ""
    cifar = "_cifar" if config.stem == "cifar" else ""
    return f"{kind}_{stages}{template}{basic}{cifar}"


def config_from(name_or_config: str | ModelConfig, **overrides: Any) -> ModelConfig:
    """Return the config for a name or a config, with some settings changed.

    Raises:
        ConfigError: The name, a setting's name or its value is not valid.
    """
    if isinstance(name_or_config, str):
        config = parse_name(name_or_config)
    elif isinstance(name_or_config, _CONFIGS):
        config = name_or_config
    else:
        raise ConfigError(
            f"{name_or_config!r} is neither a name such as 'resnext50_32x4d' nor a "
            "ResNeXtConfig, BaselineConfig, SegmenterConfig or DetectorConfig"
        )
    if isinstance(config, (SegmenterConfig, DetectorConfig)):
        overrides = _of_backbone(config, overrides)
    return config.replace(**overrides) if overrides else config


def _of_backbone(
    config: SegmenterConfig | DetectorConfig, overrides: dict[str, Any]
) -> dict[str, Any]:
    """Apply settings that only the backbone has, such as `in_channels`, to the backbone."""
    own = type(config).model_fields.keys()
    inner = {key: value for key, value in overrides.items() if key not in own}
    if not inner:
        return overrides
    outer = {key: value for key, value in overrides.items() if key in own}
    return {"backbone": config.backbone.replace(**inner), **outer}


def _own_parts(name: str, text: str) -> dict[str, Part]:
    """Return the registered parts at the end of a name, by their settings."""
    own: dict[str, Part] = {}
    for word in text.split("_")[1:]:
        part = find_part(word)
        if part is None:
            raise unknown_name(name, f"nothing is registered as {word!r}", ADVICE)
        if part.kind in own:
            raise unknown_name(name, f"{own[part.kind].name!r} and {word!r} are both a {part.kind}")
        own[part.kind] = part()
    return own


def _check_layers(
    name: str, parts: dict[str, str | None], own: dict[str, Part], *, basic: bool
) -> None:
    """Refuse a depth or `_basic` that contradicts the registered block."""
    block = own.get("block")
    if not isinstance(block, BlockPart):
        return
    if parts["basic"] is not None:
        raise unknown_name(name, f"_basic and _{block.name} are both a block")
    if parts["depth"] is not None and (num_layers(block) == 2) != basic:
        raise unknown_name(
            name,
            f"depth {parts['depth']} is for blocks with {2 if basic else 3} layers, and "
            f"{block.name!r} has {block.num_layers}; list the stages, such as "
            f"{parts['kind']}_2-2-2-2_...",
        )


def _template(name: str, parts: dict[str, str | None]) -> tuple[int, int]:
    """Return cardinality and width."""
    if parts["cardinality"] is None or parts["width"] is None:
        if parts["kind"] == "resnext":
            raise unknown_name(name, "a ResNeXt needs cardinality and width")
        return 1, 64
    cardinality = int(parts["cardinality"])
    if parts["kind"] == "resnet" and cardinality > 1:
        good = name.strip().lower().replace("resnet", "resnext", 1)
        raise unknown_name(name, f"a ResNet has cardinality 1; use {good!r}")
    return cardinality, int(parts["width"])


def _shape(name: str, parts: dict[str, str | None]) -> tuple[tuple[int, ...], bool, Stem]:
    """Return the blocks of each stage, whether they are basic, and the stem."""
    basic, cifar = parts["basic"] is not None, parts["cifar"] is not None
    if parts["stages"] is not None:
        stages = tuple(int(num_blocks) for num_blocks in parts["stages"].split("-"))
        return stages, basic, "cifar" if cifar else "imagenet"
    depth = int(parts["depth"] or 0)
    if basic:
        raise unknown_name(name, "_basic belongs to an explicit list of stages; depths imply it")
    if not cifar and depth in BASIC_STAGES:
        return BASIC_STAGES[depth], True, "imagenet"
    if not cifar and depth in BOTTLENECK_STAGES:
        return BOTTLENECK_STAGES[depth], False, "imagenet"
    if depth < 11 or depth % 9 != 2:
        raise unknown_name(name, _depth_advice(depth, cifar=cifar))
    return ((depth - 2) // 9,) * 3, False, "cifar"


def _depth_advice(depth: int, *, cifar: bool) -> str:
    known = sorted(BASIC_STAGES | BOTTLENECK_STAGES)
    if not cifar:
        return f"depth {depth} is neither one of {', '.join(map(str, known))} nor 9n+2 (CIFAR)"
    stages = BASIC_STAGES.get(depth) or BOTTLENECK_STAGES.get(depth)
    if stages is None:
        return f"CIFAR depths are 9n+2, which {depth} is not"
    basic = "_basic" if depth in BASIC_STAGES else ""
    listed = "-".join(map(str, stages))
    return (
        f"CIFAR depths are 9n+2, which {depth} is not; with a CIFAR stem its stages are written "
        f"as _{listed}_...{basic}_cifar"
    )


def _depth_name(config: ResNeXtConfig) -> tuple[int, str] | None:
    """Return depth and suffix of a network that can be named by depth."""
    stages, layers = config.blocks_per_stage, num_layers(config.block)
    if layers not in (2, 3):
        return None
    if config.stem != "cifar":
        table = BASIC_STAGES if layers == 2 else BOTTLENECK_STAGES
        if table.get(config.depth) == stages:
            return config.depth, ""
        if config.stem == "imagenet":
            return None
    if layers == 2 or len(stages) != 3 or len(set(stages)) != 1:
        return None
    ambiguous = config.depth in BOTTLENECK_STAGES or config.depth in BASIC_STAGES
    return config.depth, "_cifar" if ambiguous else ""
