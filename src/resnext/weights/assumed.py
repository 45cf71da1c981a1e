"""What tensor names and shapes do not determine about a network, and what is assumed."""

from __future__ import annotations

from typing import get_args

import torch

from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.weights.families.family import Padding
from resnext.weights.families.recognise import Recognised
from resnext.weights.padding import move_padding_to_the_end

State = dict[str, torch.Tensor]

_FLAG = "shortcut_padding='end' or 'both' (resnext convert SRC DST --shortcut-padding end|both)"


def check_padding(padding: str | None) -> None:
    """Check a padding side.

    Raises:
        ConfigError: It is neither None, `end` nor `both`.
    """
    if padding is not None and padding not in get_args(Padding):
        raise ConfigError(f"shortcut_padding={padding!r}: accepted are 'end' and 'both'")


def pad_as_the_file(found: Recognised, config: ResNeXtConfig, wanted: Padding | None) -> State:
    """Return a network's tensors, reordered for padding after the channels.

    Args:
        found: The file's tensors, which fit the config.
        config: The architecture.
        wanted: Padding side of type A shortcuts given by the user.

    Raises:
        CheckpointError: The padding side is unknown and matters.
        ConfigError: A padding side is given for a network without type A shortcuts.
    """
    if config.shortcut != "A":
        if wanted is not None:
            raise ConfigError(
                f"shortcut_padding={wanted!r}: its shortcuts are projections (type "
                f"{config.shortcut}), which need no padding; leave it out"
            )
        return found.state
    side = wanted or found.padding
    if side is None and adds_channels(config):
        raise CheckpointError(
            "its shortcuts have no weights, so they add zero channels (type A), but the file "
            "does not show whether after the others or half before them, and the wrong side "
            f"ruins the results: give {_FLAG}"
        )
    is_moved = side == "both" and adds_channels(config) and config.form == "c"
    return move_padding_to_the_end(found.state, config) if is_moved else found.state


def adds_channels(config: ResNeXtConfig) -> bool:
    """Return whether a stage has more channels than its input."""
    return len({config.stem_width, *config.stage_widths}) > 1


def assumptions(found: Recognised, config: ResNeXtConfig, wanted: Padding | None) -> list[str]:
    """List the assumptions about a network that is only described by its tensors."""
    stem = {
        "imagenet": f"a stem of stride 2{' along all dimensions' * (config.ndim > 2)} with a max "
        "pool",
        "cifar": "a stem of stride 1 without a pool",
    }
    assert isinstance(config.stem, str)  # a file of another library has no registered part
    stride = "first convolution" if config.block == "basic" else "3x3"
    listed = [stem[config.stem], f"the stride of a block in its {stride}", "no dilation", "ReLU"]
    if config.shortcut == "A":
        listed.append("type A shortcuts, not none")
        if wanted is None and adds_channels(config):
            where = {"both": "half before and half after the others", "end": "after the others"}
            listed.append(
                f"their zeros {where[found.padding or 'end']} as in code with these names (else "
                f"give {_FLAG})"
            )
    if config.preactivation:
        listed.append("projections after the first BN and ReLU")
    if found.family in ("pycls", "detectron2"):
        listed.append("input channels blue, green, red, reversed")
    return listed
