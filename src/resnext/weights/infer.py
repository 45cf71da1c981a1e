"""Infers a network's architecture from the names and shapes of its tensors.

Shapes do not determine whether blocks that need a projection but have none pad with zeros (type A,
which is assumed) or have no shortcut at all, nor where a block has its stride.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from resnext.errors import CheckpointError, ConfigError
from resnext.model.choices import Form, Shortcut
from resnext.model.config import ResNeXtConfig

State = Mapping[str, torch.Tensor]

_MIN_SIDES = 3  # of a convolution's weight: channels out, channels in, one dimension
_STAGE_BLOCK = re.compile(r"layer(\d{1,4})\.(\d{1,4})\.")


def infer_config(state: State) -> ResNeXtConfig:
    """Infer the architecture from a state dict's shapes.

    Tensors may be missing or extra, as long as each stage has its first block; loading checks
    whether all fit.

    Args:
        state: Tensors under our names, in any of the three block forms.

    Returns:
        The config; without a classifier in the state, its number of classes is the default.

    Raises:
        ConfigError: The shapes do not match a network of this kind.
        CheckpointError: Tensors needed for the inference are missing.
    """
    stem = _shape(state, "conv1.weight")
    blocks = _blocks_per_stage(state)
    first = "layer1.0."
    form, cardinality, width = _template(state, first)
    is_bottleneck = form != "c" or f"{first}conv3.weight" in state
    last = "conv3" if is_bottleneck else "conv2"
    widths = tuple(
        _out_channels(state, f"layer{stage}.0.", last, form) for stage in range(1, len(blocks) + 1)
    )
    return ResNeXtConfig(
        stem="imagenet" if stem[-1] == 7 else "cifar",
        blocks_per_stage=blocks,
        cardinality=cardinality,
        bottleneck_width=width,
        stage_widths=widths,
        stem_width=stem[0],
        block="bottleneck" if is_bottleneck else "basic",
        form=form,
        shortcut=_shortcut(state, blocks, (stem[0], *widths)),
        preactivation="norm.weight" in state,
        ndim=_num_dimensions(stem),
        in_channels=stem[1],
        **({"num_classes": len(state["fc.weight"])} if "fc.weight" in state else {}),
    )


def _num_dimensions(stem: torch.Size) -> int:
    if len(stem) not in (3, 4, 5) or stem[-1] not in (3, 7):
        raise ConfigError(
            f"its first convolution has the shape {tuple(stem)}: it must be 3 or 7 wide, in 1 to "
            "3 dimensions"
        )
    return len(stem) - 2


def _blocks_per_stage(state: State) -> tuple[int, ...]:
    """Count the blocks of each stage; a gap in the numbering counts as missing tensors."""
    counts: dict[int, int] = {}
    for name in state:
        if match := _STAGE_BLOCK.match(name):
            stage, block = int(match[1]), int(match[2])
            counts[stage] = max(counts.get(stage, 0), block + 1)
    missing = [stage for stage in range(1, max(counts, default=1) + 1) if stage not in counts]
    if missing:
        raise CheckpointError(f"it has no tensors of stage {missing[0]} (layer{missing[0]})")
    if sum(counts.values()) > len(state):
        raise CheckpointError("its block numbers exceed its number of tensors")
    return tuple(counts[stage] for stage in sorted(counts))


def _template(state: State, block: str) -> tuple[Form, int, int]:
    """Return form, cardinality and bottleneck width of the first block."""
    paths = {name.split(".")[3] for name in state if name.startswith(f"{block}paths.")}
    if paths:
        width = _shape(state, f"{block}paths.0.conv1.weight")[0]
        has_own_end = f"{block}paths.0.conv3.weight" in state
        return "a" if has_own_end else "b", len(paths), width
    if f"{block}conv3.weight" not in state:
        return "c", 1, _shape(state, f"{block}conv1.weight")[0]
    grouped = _shape(state, f"{block}conv2.weight")
    return "c", max(1, grouped[0] // max(1, grouped[1])), grouped[1]


def _out_channels(state: State, block: str, last: str, form: Form) -> int:
    prefix = f"{block}paths.0." if form == "a" else block
    return _shape(state, f"{prefix}{last}.weight")[0]


def _shortcut(state: State, blocks: tuple[int, ...], widths: tuple[int, ...]) -> Shortcut:
    """Return the type of shortcut; `widths` are those of the stem and of each stage."""
    projected = {
        (int(match[1]), int(match[2]))
        for name in state
        if name.endswith("downsample.0.weight") and (match := _STAGE_BLOCK.match(name))
    }
    due = {(stage, 0) for stage in range(2, len(blocks) + 1)}
    if widths[0] != widths[1]:
        due.add((1, 0))
    if not projected and due:
        return "A"
    return "C" if len(projected) == sum(blocks) > len(due) else "B"


def _shape(state: State, name: str) -> torch.Size:
    if name not in state:
        raise CheckpointError(f"it lacks {name}, which is needed to infer the architecture")
    shape = state[name].shape
    if len(shape) < _MIN_SIDES:
        raise CheckpointError(
            f"its {name} has the shape {tuple(shape)}, which is not the shape of a convolution"
        )
    return shape
