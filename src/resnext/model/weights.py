"""A network's weights in one safetensors file that carries its config and card.

The header holds both as JSON, so the file alone is enough to rebuild the network, and
nothing in it executes code when it is read.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from resnext.errors import CheckpointError, ConfigError
from resnext.files import read_whole
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ModelConfig

BEST = "best.safetensors"
"""The file of a run folder that holds its weights."""

FORMAT = "resnext-weights-1"
_CHECKPOINT_FORMAT = "resnext-checkpoint"
_CONFIGS: TypeAdapter[ModelConfig] = TypeAdapter(ModelConfig)


def save_weights(
    path: Path,
    model_or_state: nn.Module | Mapping[str, torch.Tensor],
    config: ModelConfig,
    card: ModelCard,
) -> None:
    """Write weights, architecture and card into one file, whole or not at all.

    Args:
        path: The file; one that exists is replaced.
        model_or_state: A network or its state dict.
        config: The network's architecture.
        card: Classes, preparation of images, measured figures.

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
    """Read a file that `save_weights` wrote, also while a training replaces it by a newer one.

    Args:
        path: The file.

    Returns:
        The architecture, the state dict on the CPU, and the card.

    Raises:
        CheckpointError: The file is missing, torn, or not one of ours.
    """
    return read_whole(Path(path), _read)


def _read(path: Path) -> tuple[ModelConfig, dict[str, torch.Tensor], ModelCard]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_format(path, metadata)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: there is no such file; give a run or a weight file"
        ) from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be read as a safetensors file ({error}); it is incomplete or of "
            "another kind: copy it again, or take the weights of another epoch or run"
        ) from None
    try:
        config = _CONFIGS.validate_json(metadata["config"])
        card = ModelCard(**json.loads(metadata["card"]))
    except (KeyError, TypeError, ValueError, ValidationError, ConfigError) as error:
        raise CheckpointError(
            f"{path}: its header does not describe a network of this version ({error}); "
            "was the file edited, or written by a newer version of resnext?"
        ) from None
    if _num_parts(config) > len(state):
        raise CheckpointError(
            f"{path}: its header describes a network of {_num_parts(config)} blocks or paths, but "
            f"it holds {len(state)} tensors; it is incomplete or was edited: copy it again"
        )
    return config, state, card


def _num_parts(config: ModelConfig) -> int:
    """Count modules that have tensors each, before a network is built from a header."""
    if isinstance(config, BaselineConfig):
        return 0
    paths = 1 if config.form == "c" else config.cardinality
    return sum(config.blocks_per_stage) * paths


def load_into(model: nn.Module, state: Mapping[str, torch.Tensor], *, assign: bool = False) -> None:
    """Copy weights into a network; every tensor must fit.

    Args:
        model: The network.
        state: A state dict.
        assign: Make the given tensors the network's own instead of copying them.

    Raises:
        CheckpointError: Tensors are missing, left over, or differ in shape; the network
            is left as it was.
    """
    if complaint := misfit(model.state_dict(), state):
        raise CheckpointError(
            f"the weights do not fit the network; {complaint}. Build the network from the "
            "config that the weights were trained with"
        )
    model.load_state_dict(state, assign=assign)


def misfit(wanted: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> str:
    """Say which tensors are missing, left over and of another shape; empty where all fit."""
    differing = [
        f"{name} is {_shape(state[name])} instead of {_shape(tensor)}"
        for name, tensor in wanted.items()
        if name in state and state[name].shape != tensor.shape
    ]
    lists = {
        "missing": [name for name in wanted if name not in state],
        "left over": [name for name in state if name not in wanted],
        "other shape": differing,
    }
    return "; ".join(f"{title}: {_some(names)}" for title, names in lists.items() if names)


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    """Write a safetensors file so that there is always a whole one at its place.

    It is written beside its place, flushed to the disk and renamed.

    Args:
        path: The file; one that exists is replaced.
        tensors: Tensors on any device, of any memory layout.
        metadata: Texts for the file's header.

    Raises:
        CheckpointError: The file cannot be written (full disk, no permission).
    """
    path = Path(path)
    # One fixed name: what a killed process leaves behind, the next write replaces.
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(
            {name: tensor.detach().contiguous() for name, tensor in tensors.items()},
            partial,
            metadata,
        )
        _flush(partial)
        partial.replace(path)
        _flush(path.parent)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be written ({error}); free some space or choose another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a read-only disk refuses even this
            partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    found = metadata.get("format", "")
    if found == FORMAT:
        return
    if found.startswith(_CHECKPOINT_FORMAT):
        raise CheckpointError(
            f"{path}: is a training checkpoint; take best.safetensors beside it, or go on "
            "with the run by --resume"
        )
    raise CheckpointError(
        f"{path}: is a safetensors file without the header of resnext (format, config, card), "
        "so its architecture is unknown; `resnext.load` and "
        "`resnext convert` find it out"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "a scalar"
