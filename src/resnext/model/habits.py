"""Arguments of timm's and torchvision's networks, for those who are used to them.

What means the same here is taken; anything else gets one message with our way. Nothing here needs
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
"""Arguments with the values that change nothing here; for timm, None is an argument left out."""

_TRAINED = (
    "create_model draws random weights; resnext.load opens trained ones, such as a name that "
    "`resnext weights list {name}` shows, a file or a run, and takes out_indices and output_stride"
)
_OWN = "networks have none; write a block or stem of your own, see docs/custom-blocks.md"
_OURS = {
    "pretrained": _TRAINED,
    "weights": _TRAINED,
    "checkpoint_path": _TRAINED,
    "pretrained_cfg": _TRAINED,
    "pretrained_cfg_overlay": _TRAINED,
    "cache_dir": _TRAINED,
    "features_only": "give out_indices for a backbone",
    "global_pool": "networks average ('avg'); forward_features gives the map itself, to be pooled "
    "in another way",
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
    """Return the settings that arguments stand for; those of other names are ours already.

    Args:
        config: The network before they are applied, for messages.
        arguments: By their names in timm, torchvision or here.

    Raises:
        ConfigError: One has no meaning here; the message says what has.
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
            raise ConfigError(f"{name} and {ours} are the same setting; give {ours} alone")
        settings[ours] = value
    return settings


def _as_output_stride(value: object) -> str:
    """Say which output stride torchvision's list of stages means."""
    dilated = [bool(stage) for stage in value] if isinstance(value, list | tuple) else []
    if len(dilated) != 3 or dilated != sorted(dilated):
        return "write output_stride=16 or 8; all stages behind the first dilated one dilate too"
    return f"write output_stride={32 >> sum(dilated)}"
