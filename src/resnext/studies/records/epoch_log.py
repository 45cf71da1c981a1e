"""The epochs of a run, read from its log; damaged lines are skipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from resnext.runs.folder import METRICS
from resnext.studies.records.stored import Count, Percent, keep_valid, read_lines


@dataclass(frozen=True, slots=True)  # a study has hundreds of thousands
class Epoch:
    """One epoch in a run's log.

    Attributes:
        kind: Distinguishes epochs from intervals.
        epoch: Its number, from 1.
        top1_error: Validation error in percent.
        train_top1_error: Error in percent on the training images.
    """

    kind: Literal["epoch"]
    epoch: Annotated[Count, Field(ge=1)]
    top1_error: Percent
    train_top1_error: Percent | None = None


def read_epochs(run: Path) -> list[Epoch]:
    """Return the epochs of a run.

    Raises:
        RunError: Its log cannot be read.
    """
    return epochs_of(read_lines(run / METRICS)[0])


def epochs_of(rows: list[dict[str, Any]]) -> list[Epoch]:
    """Return the lines of a log that describe an epoch."""
    return keep_valid([row for row in rows if row.get("kind") == "epoch"], Epoch)
