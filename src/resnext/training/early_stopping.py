"""Decides when a run ends, and describes why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resnext.runs.config import TrainConfig
from resnext.runs.folder import CONFIG
from resnext.training.checkpoint import Position


def count_stale(config: TrainConfig, position: Position, error: float) -> int:
    """Count the epochs without a new lowest validation error.

    Args:
        config: The warm-up, whose epochs do not count, as a low rate hardly changes the error.
        position: Position at the start of the epoch, with the lowest error so far.
        error: Validation error of the epoch, in percent.
    """
    is_warmup = position.epoch + 1 <= config.schedule.warmup * config.schedule.epochs
    return 0 if is_warmup or error < position.best[0] else position.stale_epochs + 1


def has_stopped_early(config: TrainConfig, position: Position) -> bool:
    """Return whether the validation error has not improved within the patience."""
    patience = config.early_stopping
    has_epochs_left = position.epoch < config.schedule.epochs
    return patience is not None and has_epochs_left and position.stale_epochs >= patience


def is_over(config: TrainConfig, position: Position) -> bool:
    """Return whether no epoch is left to train."""
    return position.epoch >= config.schedule.epochs or has_stopped_early(config, position)


def stopped_epoch(config: TrainConfig, epochs: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the epoch after which a run stopped early; None for one that did not.

    Args:
        config: Settings of the run.
        epochs: The lines of its log that describe epochs.
    """
    if not epochs:
        return None
    last = epochs[-1]
    position = Position(epoch=last["epoch"], stale_epochs=last.get("stale_epochs", 0))
    return position.epoch if has_stopped_early(config, position) else None


def describe_stop(config: TrainConfig, position: Position, run: Path) -> str:
    """Describe why a run ended before its last epoch, and how to continue."""
    stale = position.stale_epochs
    return (
        f"stopped early after epoch {position.epoch} of {config.schedule.epochs}: the validation "
        f"error has not improved for {stale} epoch(s) (early_stopping: {config.early_stopping}). "
        "The learning-rate schedule was not completed. To train the rest, set early_stopping in "
        f"{run / CONFIG} to null or to more epochs, then: resnext train --resume {run}"
    )
