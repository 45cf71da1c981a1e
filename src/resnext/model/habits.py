"""Translates arguments of timm's and torchvision's networks.

Equivalent arguments are accepted; for others an error names the alternative. Nothing here needs
torch.

Source: timm.create_model and timm's ResNet (1.0); torchvision.models.resnet.ResNet.
"""

from __future__ import annotations

from typing import Any

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig
from resnext.model.names import name_of

_ALIASES = {"in_chans": "in_channels"}

_SAME: dict[str, tuple[object, ...]] = {
    "pretrained": (False,),
    "checkpoint_path": ("",),
    "features_only": (False, True),
    "global_pool": ("avg",),
    "drop_rate": (0.0, 0),
    "drop_path_rate": (0.0, 0),
    "drop_block_rate": (0.0, 0),
    "replace_stride_with_dilation": ([False] * 3, (False,) * 3),
}
"""Arguments with values that have no effect here; for timm, None means not given."""

_TRAINED = (
    "create_model uses random weights; resnext.load opens trained ones, such as a name from "
    "`resnext weights list {name}`, a file or a run, and accepts out_indices and output_stride"
)
_OWN = "not supported; write a custom block or stem, see docs/custom-blocks.md"
_OURS = {
    "pretrained": _TRAINED,
    "weights": _TRAINED,
    "checkpoint_path": _TRAINED,
    "pretrained_cfg": _TRAINED,
    "pretrained_cfg_overlay": _TRAINED,
    "cache_dir": _TRAINED,
    "features_only": "give out_indices for a backbone",
    "global_pool": (
        "only average pooling ('avg') is supported; forward_features returns the map for others"
    ),
    "drop_rate": _OWN,
    "drop_path_rate": _OWN,
    "drop_block_rate": _OWN,
    "norm_layer": _OWN,
    "act_layer": _OWN,
    "aa_layer": _OWN,
    "stem_type": _OWN,
    "layers": "write blocks_per_stage, such as (3, 4, 6, 3)",
    "channels": "write stage_widths, the output channels of each stage: 4 times timm's in a "
    "bottleneck",
    "groups": "write cardinality",
    "base_width": "write bottleneck_width",
    "width_per_group": "write bottleneck_width",
    "zero_init_last": "write zero_init_residual",
}


def take_habits(config: ModelConfig, arguments: dict[str, Any]) -> dict[str, Any]:
    """Translate arguments to settings; unknown ones are returned unchanged.

    Args:
        config: The network before they are applied, for messages.
        arguments: Arguments by their names in timm, torchvision or this package.

    Raises:
        ConfigError: One is not supported; the message names the alternative.
    """
    settings = {}
    for name, value in arguments.items():
        if value is None and name in {*_OURS, *_ALIASES, *_SAME}:
            continue
        if any(value == same and type(value) is type(same) for same in _SAME.get(name, ())):
            continue
        if name == "replace_stride_with_dilation":
            raise ConfigError(f"{name}={value!r}: {_as_output_stride(value)}")
        if name in _OURS:
            raise ConfigError(f"{name}={value!r}: {_OURS[name].format(name=name_of(config))}")
        ours = _ALIASES.get(name, name)
        if ours != name and ours in arguments:
            raise ConfigError(f"{name} and {ours} are the same setting; give only {ours}")
        settings[ours] = value
    return settings


def _as_output_stride(value: object) -> str:
    """Return the equivalent of torchvision's `replace_stride_with_dilation`."""
    dilated = [bool(stage) for stage in value] if isinstance(value, list | tuple) else []
    if len(dilated) != 3 or dilated != sorted(dilated):
        return "write output_stride=16 or 8; all stages behind the first dilated one dilate too"
    return f"write output_stride={32 >> sum(dilated)}"
