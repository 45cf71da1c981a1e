"""A network's weights in one safetensors file with its config and card.

The header contains both as JSON, so the file alone suffices to rebuild the network, and reading it
executes no code. Its checksum detects any change.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from resnext.errors import CheckpointError, PluginError
from resnext.files import read_whole
from resnext.foreign_file import reason
from resnext.model.card import ModelCard, card_from
from resnext.model.config import (
    BaselineConfig,
    ModelConfig,
    ResNeXtConfig,
    body_of,
    config_from,
)
from resnext.untrusted.parse import parse_json
from resnext.untrusted.text import printable
from resnext.weights.tensor_file import (
    CHECKSUM,
    TensorFile,
    damaged,
    read_any,
    verify,
    write_tensors,
)

BEST = "best.safetensors"
"""The weight file of a run folder."""

FORMAT = "resnext-weights-2"
_FORMAT_WITHOUT_CHECKSUM = "resnext-weights-1"
_ANY_FORMAT = "resnext-weights-"
_CHECKPOINT_FORMAT = "resnext-checkpoint"
_MAX_SHOWN = 120
_ALIGNMENT = 64  # bytes, of memory that torch allocates


def save_weights(
    path: Path,
    model_or_state: nn.Module | Mapping[str, torch.Tensor],
    config: ModelConfig,
    card: ModelCard,
) -> None:
    """Write weights, architecture and card into one file atomically.

    Args:
        path: The file; an existing one is replaced.
        model_or_state: A network or its state dict.
        config: The network's architecture.
        card: Classes, preprocessing, metrics.

    Raises:
        CheckpointError: The file cannot be written.
    """
    if isinstance(model_or_state, nn.Module):
        model_or_state = model_or_state.state_dict()
    metadata = {
        "format": FORMAT,
        "config": config.model_dump_json(),
        "card": card.model_dump_json(),
    }
    write_tensors(path, model_or_state, metadata)


def read_weights(path: Path) -> tuple[ModelConfig, dict[str, torch.Tensor], ModelCard]:
    """Read a file written by `save_weights`, even while training replaces it with a newer one.

    Args:
        path: The file.

    Returns:
        The architecture, the state dict on the CPU, and the card.

    Raises:
        CheckpointError: The file is missing, incomplete, or not in this format.
    """
    path = Path(path)
    return interpret(path, read_whole(path, read_any))


def is_ours(metadata: Mapping[str, str]) -> bool:
    """Return whether a file's header is in our format, even if part of its metadata is damaged."""
    signs = [name in metadata for name in ("config", "card", CHECKSUM)]
    return metadata.get("format", "").startswith("resnext-") or sum(signs) >= 2


def interpret(
    path: Path, found: TensorFile
) -> tuple[ModelConfig, dict[str, torch.Tensor], ModelCard]:
    """Verify the content of a file written by `save_weights`; see `read_weights`.

    Args:
        path: The file, for messages.
        found: Its content.

    Raises:
        CheckpointError: It is damaged or not in this format.
    """
    verify(path, found)
    _check_format(path, found)
    try:
        config = config_from(parse_json(found.metadata["config"]))
        card = card_from(parse_json(found.metadata["card"]), config)
    except PluginError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except (LookupError, ValueError) as error:
        raise CheckpointError(
            f"{path}: its header does not describe a network of this version ({reason(error)}); "
            "it may have been edited, or written by a newer version of resnext"
        ) from None
    try:
        check_state(config, found.tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    return config, found.tensors, card


def check_state(config: ModelConfig, state: Mapping[str, torch.Tensor]) -> None:
    """Check a file's tensors before building a network for them.

    Raises:
        CheckpointError: The architecture has more or wider layers than the tensors, so that
            building it could need any amount of memory; or a tensor contains NaN or infinity, which
            would make every prediction NaN. The message omits the file's name.
    """
    _check_size(config, state)
    for name, tensor in state.items():
        if tensor.is_floating_point() and not _is_finite(tensor):
            raise CheckpointError(
                f"its {_shown(name)} contains NaN or infinite values, so every prediction would "
                "be NaN; use the weights of an earlier epoch or another run, or copy the file "
                "again"
            )


def _is_finite(tensor: torch.Tensor) -> bool:
    # The sum is several times faster than the test of each value, which an overflow makes due.
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


def _check_size(config: ModelConfig, state: Mapping[str, torch.Tensor]) -> None:
    """Check an architecture's size against the tensors, which the file's size bounds."""
    num_parts = _num_parts(config)
    if num_parts > len(state):
        raise CheckpointError(
            f"it describes a network of {num_parts:,} blocks or paths, but contains "
            f"{len(state):,} tensors; it is incomplete or was edited: copy it again"
        )
    largest = max((side for tensor in state.values() for side in tensor.shape), default=0)
    backbone = body_of(config)
    if isinstance(backbone, ResNeXtConfig) and max(backbone.stage_widths) > largest:
        raise CheckpointError(
            f"it describes layers of {max(backbone.stage_widths):,} channels, but the "
            f"largest side of its tensors is {largest:,}; it was edited: copy it again"
        )


def _num_parts(config: ModelConfig) -> int:
    """Count the modules with tensors, before building a network from a header."""
    config = body_of(config)
    if isinstance(config, BaselineConfig):
        return 0
    paths = 1 if config.form == "c" else config.cardinality
    return sum(config.blocks_per_stage) * paths


def load_into(model: nn.Module, state: Mapping[str, torch.Tensor], *, assign: bool = False) -> None:
    """Copy weights into a network; every tensor must fit.

    Args:
        model: The network.
        state: A state dict.
        assign: Use the given tensors in the network instead of copying them, unless they are
            not aligned in memory as torch aligns its own.

    Raises:
        CheckpointError: Tensors are missing, extra, or differ in shape; the network is unchanged.
    """
    if complaint := misfit(model.state_dict(), state):
        raise CheckpointError(
            f"the weights do not fit the network; {complaint}. Build the network from the "
            "config that the weights were trained with"
        )
    if assign:
        state = {name: _aligned(tensor) for name, tensor in state.items()}
    model.load_state_dict(state, assign=assign)


def _aligned(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor at an address such as torch allocates; kernels may round otherwise.

    A file is read into one piece of memory, in which a tensor begins at any multiple of its type.
    """
    return tensor if tensor.data_ptr() % _ALIGNMENT == 0 else tensor.clone()


def misfit(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> str:
    """List tensors that are missing, extra or of another shape; empty if all fit."""
    differing = [
        f"{name} is {shape_text(state[name])} instead of {shape_text(tensor)}"
        for name, tensor in wanted.items()
        if name in state and state[name].shape != tensor.shape
    ]
    lists = {
        "missing": [name for name in wanted if name not in state],
        "extra": [name for name in state if name not in wanted],
        "different shape": differing,
    }
    return "; ".join(f"{title}: {_some(names)}" for title, names in lists.items() if names)


def _check_format(path: Path, found: TensorFile) -> None:
    name = found.metadata.get("format", "")
    if name == FORMAT and not found.has_checksum:
        raise damaged(path)  # the checksum's own name
    if name in (FORMAT, _FORMAT_WITHOUT_CHECKSUM):
        return
    if name.startswith(_CHECKPOINT_FORMAT):
        raise CheckpointError(
            f"{path}: is a training checkpoint; use best.safetensors next to it, or resume the "
            "run with --resume"
        )
    if name.startswith(_ANY_FORMAT):
        raise CheckpointError(
            f"{path}: is a weight file in the format {_shown(name)}, which this version does not "
            "know; install a newer version of resnext, or copy the file again"
        )
    raise CheckpointError(
        f"{path}: is a safetensors file without the header of resnext (format, config, card), so "
        "its architecture is unknown; `resnext.load` and `resnext convert` can infer it"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(map(_shown, names[:4]))
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _shown(name: str) -> str:
    return printable(name[:_MAX_SHOWN])


def shape_text(tensor: torch.Tensor) -> str:
    """Format a tensor's shape, such as 64x3x7x7."""
    return "x".join(str(size) for size in tensor.shape) or "a scalar"
