"""Finds the epoch of a run's log that its weights are from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from resnext.runs.config import TrainConfig
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure


def best_epoch(epochs: Iterable[Mapping[str, Any]], measure: Measure) -> Mapping[str, Any]:
    """Return the epoch of the log with the best measure; on a tie, the lowest loss."""
    return min(epochs, key=lambda row: measure.score(row[measure.key], row.get("loss")))


def kept_epoch(config: TrainConfig, epochs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the epoch of the log whose weights the run keeps."""
    return (
        epochs[-1] if config.keep == "last" else best_epoch(epochs, task_kind(config.task).measure)
    )
