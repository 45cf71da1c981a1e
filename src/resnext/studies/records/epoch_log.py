"""The epochs of a run, read from its log; damaged lines are skipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from resnext.runs.folder import METRICS
from resnext.studies.records.stored import Count, Percent, keep_valid, read_lines
from resnext.tasks.kinds import TaskKind, task_kind


@dataclass(frozen=True, slots=True)  # a study has hundreds of thousands
class Epoch:
    """One epoch in a run's log.

    Attributes:
        kind: Distinguishes epochs from intervals.
        epoch: Its number, from 1.
        value: The task's measure of the validation images.
        train_value: The task's measure of the training images.
    """

    kind: Literal["epoch"]
    epoch: Annotated[Count, Field(ge=1)]
    value: Percent
    train_value: Percent | None = None


def read_epochs(run: Path, task: str) -> list[Epoch]:
    """Return the epochs of a run.

    Args:
        run: Its folder.
        task: Name of its task.

    Raises:
        RunError: Its log cannot be read.
    """
    return epochs_of(read_lines(run / METRICS)[0], task)


def epochs_of(rows: list[dict[str, Any]], task: str) -> list[Epoch]:
    """Return the lines of a log that describe an epoch."""
    kind = task_kind(task)
    names = {"value": kind.measure.key, "train_value": train_key(kind)}
    found = [
        {"kind": "epoch", "epoch": row.get("epoch")}
        | {name: row.get(key) for name, key in names.items() if key}
        for row in rows
        if row.get("kind") == "epoch"
    ]
    return keep_valid(found, Epoch)


def train_key(kind: TaskKind) -> str | None:
    """Return the name of a task's measure of the training images, if studies can compare it.

    That of detection is a loss, not a share in percent.
    """
    return kind.train_measure.key if kind.train_measure.unit == "%" else None
