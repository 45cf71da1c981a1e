"""The checkpoint: everything needed to resume a run, as a position and tensors.

Order and augmentation are functions of (seed, epoch, index), so the position in training is two
numbers; otherwise only tensors are stored: weights, their average, momentum. See `checkpoint_file`
for the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
import torch.distributed as dist
from pydantic import TypeAdapter

from resnext.errors import CheckpointError, TrainingError
from resnext.runs.same_settings import check_same_settings
from resnext.training.checkpoint_file import CheckpointFiles
from resnext.training.checkpoint_writer import CheckpointWriter
from resnext.training.step import TrainStep
from resnext.untrusted.parse import parse_json

_MOMENTUM = "momentum."
_STATE_PREFIX = {
    "momentum_buffer": _MOMENTUM,
    "exp_avg": "adam_mean.",
    "exp_avg_sq": "adam_square.",
    "step": "adam_step.",
}


@dataclass(frozen=True)
class Position:
    """The position in training.

    Attributes:
        epoch: Current epoch, from 0.
        step: Optimiser steps completed in that epoch.
        total_steps: Optimiser steps completed since the start.
        ema_updates: Updates of the averaged weights.
        best: The best validation results so far: (top-1 error in percent, loss).
        seconds: Time spent in training steps.
        loss_sum: Sum of the losses of this epoch's images, for the epoch's mean.
        num_wrong: Images of this epoch that the network misclassified during training.
        num_seen: Images of this epoch so far, over all processes.
        logged: `loss_sum` and `num_seen` when the log was last written.
        scaler: State of the fp16 gradient scaler.
        stale_epochs: Epochs since the last improvement of the validation error, not counting
            warm-up.
        part_sums: Sums of the parts of the losses of this epoch's images, where a loss has parts.
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
    logged: tuple[float, int] = (0.0, 0)
    scaler: dict[str, float] = field(default_factory=dict)
    stale_epochs: int = 0
    part_sums: tuple[float, ...] = ()


_LOGGED_BEFORE = "told"  # the name of `Position.logged` in checkpoints of version 0.1
_POSITION = TypeAdapter(Position)


def save_checkpoint(writer: CheckpointWriter, position: Position, train_step: TrainStep) -> None:
    """Copy the state of training and start writing it.

    Raises:
        TrainingError: A weight is not finite; the previous file is kept.
        CheckpointError: The previous write failed (full disk, no permission).
    """
    tensors = _named_tensors(train_step)
    _check_finite(tensors, position)
    num_updates = 0 if train_step.average is None else train_step.average.num_updates
    position = replace(position, ema_updates=num_updates, scaler=train_step.scaler.state_dict())
    writer.save(json.dumps(asdict(position)), tensors, train_step.config.model_dump_json())


def load_checkpoint(files: CheckpointFiles, train_step: TrainStep) -> Position:
    """Restore a saved state into the network, the optimiser, the average and the scaler.

    The first process reads and verifies, and sends the state to the others, so that all resume from
    the same state regardless of their view of the disk.

    Returns:
        The position to resume from; the start if nothing was saved yet.

    Raises:
        CheckpointError: No file is intact, or they belong to another network.
        ConfigError: The settings of the run have changed.
    """
    position = train_step.runtime.broadcast_from_main(lambda: _read_into(files, train_step))
    if position is None:
        return Position()
    if train_step.runtime.world_size > 1:
        _copy_from_main(_named_tensors(train_step))
    if train_step.average is not None:
        train_step.average.num_updates = position.ema_updates
    if position.scaler:
        train_step.scaler.load_state_dict(position.scaler)
    return position


def _read_into(files: CheckpointFiles, train_step: TrainStep) -> Position | None:
    """Read a checkpoint into this process and return its position."""
    if not files.exist():
        return None
    stored = files.read()
    check_same_settings(files.run, stored.settings, train_step.config)
    position = _parse_position(files.run, stored.position)
    wanted = {
        name: tensor
        for name, tensor in _named_tensors(train_step).items()
        # Older checkpoints lack what had not moved yet.
        if name in stored.tensors or not name.startswith(_MOMENTUM)
    }
    _check_fit(stored.tensors, wanted)
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(stored.tensors[name])  # keeps the tensor's memory layout
    return position


def _parse_position(run: Path, text: str) -> Position:
    try:
        values = parse_json(text)
        if isinstance(values, dict) and _LOGGED_BEFORE in values:
            values["logged"] = values.pop(_LOGGED_BEFORE)
        return _POSITION.validate_python(values)
    except ValueError:  # also pydantic's
        raise CheckpointError(
            f"{run}: the checkpoint lacks the position in training; it was edited, or written by "
            "a newer version of resnext"
        ) from None


def _check_fit(stored: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    differing = sorted(
        name
        for name in stored.keys() | wanted.keys()
        if name not in stored or name not in wanted or stored[name].shape != wanted[name].shape
    )
    if differing:
        raise CheckpointError(
            f"the checkpoint does not fit this run's config; {len(differing)} tensors differ, "
            f"such as {differing[0]!r}"
        )


def _copy_from_main(tensors: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for tensor in tensors.values():
            sent = tensor.contiguous()  # processes exchange memory as it lies
            dist.broadcast(sent, src=0)
            tensor.copy_(sent)


def _named_tensors(train_step: TrainStep) -> dict[str, torch.Tensor]:
    tensors = {f"model.{name}": tensor for name, tensor in train_step.model.state_dict().items()}
    if train_step.average is not None:
        for name, tensor in train_step.average.model.state_dict().items():
            tensors[f"ema.{name}"] = tensor
    for name, parameter in train_step.model.named_parameters():
        for key, tensor in train_step.optimizer.state.get(parameter, {}).items():
            tensors[_STATE_PREFIX[key] + name] = tensor
    return tensors


def _check_finite(tensors: dict[str, torch.Tensor], position: Position) -> None:
    floats = [tensor for tensor in tensors.values() if tensor.is_floating_point()]
    if bool(torch.isfinite(torch.stack(torch._foreach_norm(floats))).all()):
        return
    raise TrainingError(
        f"the weights are no longer finite after epoch {position.epoch}, step {position.step}; "
        "the last good checkpoint was kept. Lower the learning rate, lengthen the warm-up or "
        "clip the gradient (--set optim.clip_norm=1)"
    )
