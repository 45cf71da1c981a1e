"""The checkpoint: everything that a run needs to go on, in one safetensors file.

Order and augmentation are functions of (seed, epoch, index), so the position in training is
two numbers; besides them only tensors are kept: weights, their average, momentum. The file
is written beside its place, flushed to the disk and renamed, so that there is always a
whole one; nothing in it executes code when it is read.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from resnext.errors import CheckpointError, TrainingError
from resnext.model.weights import write_tensors
from resnext.training.ema import WeightAverage

_FORMAT = "resnext-checkpoint-1"


@dataclass(frozen=True)
class Position:
    """How far training has come.

    Attributes:
        epoch: The epoch in progress, from 0.
        step: Optimiser steps done in that epoch.
        total_steps: Optimiser steps done since the start.
        ema_updates: Updates of the averaged weights.
        best: The best validation figures so far: (top-1 error in percent, loss).
        seconds: Time spent in training steps.
        loss_sum: Sum of the losses of this epoch's images, for the epoch's mean.
        num_wrong: Images of this epoch that the network got wrong as it was trained on them.
        num_seen: Images of this epoch so far, in this process.
        told: `loss_sum` and `num_seen` when the log was last written.
        scaler: State of the fp16 gradient scaler.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    ema_updates: int = 0
    best: tuple[float, float] = (float("inf"), float("inf"))
    seconds: float = 0.0
    loss_sum: float = 0.0
    num_wrong: float = 0.0
    num_seen: int = 0
    told: tuple[float, int] = (0.0, 0)
    scaler: dict[str, float] = field(default_factory=dict)


def save_checkpoint(
    path: Path,
    position: Position,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
) -> None:
    """Write the state of training, whole or not at all.

    Raises:
        TrainingError: A weight is not a finite number; the file before is left alone.
        CheckpointError: The file cannot be written (full disk, no permission).
    """
    tensors = _named_tensors(model, optimizer, average)
    _check_finite(tensors, position)
    metadata = {"format": _FORMAT, "position": json.dumps(asdict(position))}
    write_tensors(path, tensors, metadata)


def load_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage | None,
) -> Position:
    """Put a saved state back into the network, the optimiser and the average.

    Returns:
        The position at which to go on.

    Raises:
        CheckpointError: The file is torn, or belongs to another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: cannot be read as a checkpoint ({error})") from None
    if metadata.get("format") != _FORMAT:
        raise CheckpointError(f"{path}: is not a training checkpoint of this program")
    values = json.loads(metadata["position"])
    pairs = {name: tuple(values[name]) for name in ("best", "told") if name in values}
    position = Position(**values | pairs)
    _create_momentum(stored, model, optimizer)
    wanted = _named_tensors(model, optimizer, average)
    differing = sorted(
        name
        for name in stored.keys() | wanted.keys()
        if name not in stored or name not in wanted or stored[name].shape != wanted[name].shape
    )
    if differing:
        raise CheckpointError(
            f"{path}: does not fit this run's config; {len(differing)} tensors differ, "
            f"such as {differing[0]!r}"
        )
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(stored[name])  # keeps the tensor's memory layout
    if average is not None:
        average.num_updates = position.ema_updates
    return position


def _named_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer, average: WeightAverage | None
) -> dict[str, torch.Tensor]:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    if average is not None:
        for name, tensor in average.model.state_dict().items():
            tensors[f"ema.{name}"] = tensor
    for name, parameter in model.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{name}"] = momentum
    return tensors


def _create_momentum(
    stored: dict[str, torch.Tensor], model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Make room for the stored momentum; SGD itself makes it only at its first step."""
    for name, parameter in model.named_parameters():
        if f"momentum.{name}" in stored:
            optimizer.state[parameter]["momentum_buffer"] = torch.empty_like(parameter)


def _check_finite(tensors: dict[str, torch.Tensor], position: Position) -> None:
    floats = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
    if bool(torch.isfinite(torch.stack(torch._foreach_norm(floats))).all()):
        return
    raise TrainingError(
        f"the weights are no longer finite numbers after epoch {position.epoch}, step "
        f"{position.step}; nothing was saved over the last good checkpoint. Lower the learning "
        "rate, lengthen the warm-up or clip the gradient (--set optim.clip_norm=1)"
    )
