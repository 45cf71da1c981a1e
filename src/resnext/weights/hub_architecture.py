"""Checks that the architecture named in a config.json matches the tensors.

Many networks have the tensors of a plain ResNet but compute something else: with blurred or
averaged downsampling (`resnetblur18`, `resnetaa50`), dilation, another activation, ...

Source: timm/models/resnet.py (`ResNet`, the registered networks); transformers/models/resnet,
configuration_resnet.py.
"""

from __future__ import annotations

import math
import re
from typing import Any

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of, parse_name
from resnext.untrusted.names import shown

# The same networks under their trainers' names, and torchvision's wide ones.
_TRAINER = re.compile(r"(?:tv|ssl|swsl|ig|gluon)_(?P<plain>.+?)(?:_v1b)?")
_WIDE = re.compile(r"wide_resnet(?P<depth>\d+)_2")
_SHAPES = {"layers", "cardinality", "base_width", "channels", "in_chans", "num_classes"}
# Arguments of timm's ResNet that leave no trace in the tensors, with the values that ours has.
_PLAIN: dict[str, tuple[object, ...]] = {
    "output_stride": (32,),
    "stem_width": (64,),
    "stem_type": ("",),
    "replace_stem_pool": (False,),
    "block_reduce_first": (1,),
    "down_kernel_size": (1,),
    "avg_down": (False,),
    "act_layer": ("relu", "ReLU"),
    "norm_layer": ("batchnorm", "batchnorm2d", "BatchNorm2d"),
    "aa_layer": ("",),
    "block_args": ({},),
    "global_pool": ("avg", "fast", "fastavg", ""),
    "replace_stride_with_dilation": (False, [False] * 3),
}
_TRAINING = {"drop_rate", "drop_path_rate", "drop_block_rate", "zero_init_last"}


def check_architecture(saved: dict[str, Any], config: ResNeXtConfig) -> bool:
    """Compare a config.json with the network inferred from the tensors.

    Args:
        saved: The file's JSON object.
        config: The network.

    Returns:
        Whether the file fully specifies it; False if it names no architecture, or one with another
        stem, as in networks for small images.

    Raises:
        ValueError: The file names another network.
    """
    if "model_type" in saved:
        return _check_transformers(saved)
    name = saved.get("architecture", saved.get("pretrained_cfg", {}).get("architecture"))
    if name is None:
        return False
    named = _parse(name)
    arguments = saved.get("model_args") or {}
    if not isinstance(arguments, dict):
        raise ValueError(f"model_args is not a JSON object: {shown(arguments)}")
    if "global_pool" in saved:
        arguments = {"global_pool": saved["global_pool"], **arguments}
    _check_arguments(name, arguments)
    expected = _with_arguments(named, arguments)
    fields = ("blocks_per_stage", "block", "cardinality", "bottleneck_width", "stage_widths")
    if any(getattr(expected, field) != getattr(config, field) for field in fields):
        raise ValueError(
            f"it names {shown(name)}, which is {name_of(expected)}, but the tensors are those of "
            f"{name_of(config)}"
        )
    return expected.stem == config.stem


def _parse(name: object) -> ResNeXtConfig:
    """Return the network of a timm or torchvision name."""
    text = str(name).partition(".")[0]
    if match := _TRAINER.fullmatch(text):
        text = match["plain"]
    if match := _WIDE.fullmatch(text):
        text = f"resnet{match['depth']}_1x128d"
    try:
        found = parse_name(text)
    except ConfigError:
        found = None
    if not isinstance(found, ResNeXtConfig):
        raise ValueError(
            f"it names the architecture {shown(name)}, which is not a plain ResNet or ResNeXt: "
            "with the same tensors it may compute something else"
        )
    return found


def _check_arguments(name: object, arguments: dict[str, Any]) -> None:
    for key, value in arguments.items():
        is_known = key in _SHAPES | _TRAINING or value is None or value in _PLAIN.get(key, ())
        if not is_known:
            raise ValueError(
                f"it names {shown(name)} with {shown(key)}={shown(value)}, with which the same "
                "tensors compute something else"
            )


def _with_arguments(named: ResNeXtConfig, arguments: dict[str, Any]) -> ResNeXtConfig:
    expansion = 1 if named.block == "basic" else 4
    channels = arguments.get("channels") or [width // expansion for width in named.stage_widths]
    base_width = arguments.get("base_width") or named.bottleneck_width
    try:
        return named.replace(
            blocks_per_stage=tuple(arguments.get("layers") or named.blocks_per_stage),
            cardinality=arguments.get("cardinality") or named.cardinality,
            bottleneck_width=math.floor(channels[0] * (base_width / 64)),
            stage_widths=tuple(width * expansion for width in channels),
        )
    except (ConfigError, TypeError, OverflowError, LookupError):
        raise ValueError(f"its model_args do not describe a network: {shown(arguments)}") from None


def _check_transformers(saved: dict[str, Any]) -> bool:
    plain = {
        "model_type": "resnet",
        "hidden_act": "relu",
        "downsample_in_first_stage": False,
        "downsample_in_bottleneck": False,
    }
    for key, value in plain.items():
        if saved.get(key, value) != value:
            raise ValueError(f"it specifies {key}={shown(saved[key])}; ours has {value!r}")
    return True
