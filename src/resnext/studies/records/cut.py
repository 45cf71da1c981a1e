"""The point at which halving stopped a trial, as stored in the trial's folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, PositiveInt

from resnext.errors import RunError
from resnext.runs.folder import write_json
from resnext.studies.records.metric import TOP1_ERROR, metric_of
from resnext.studies.records.stored import Count, Percent, ShortText, read_stored
from resnext.studies.study import Halving

PRUNED = "pruned.json"


@dataclass(frozen=True)
class Cut:
    """The point at which a trial was stopped.

    Attributes:
        study: Name of the study whose designs were better.
        epoch: Epoch after which it was stopped.
        value: The task's measure after that epoch.
        rung: Number of the rung, from 0.
        min_epochs: The halving's settings; see `Halving`.
        factor: The same.
        measure: Name of the task's measure.
    """

    study: ShortText
    epoch: Count
    value: Annotated[Percent, Field(validation_alias=AliasChoices("value", "error"))]
    rung: Count
    min_epochs: PositiveInt
    factor: Annotated[int, Field(ge=2)]
    measure: ShortText = TOP1_ERROR

    def __str__(self) -> str:
        metric = metric_of(self.measure)
        return f"{metric.label} {metric.write(self.value)} after epoch {self.epoch}"


def read_cut(folder: Path, study: str, halving: Halving | None = None) -> Cut | None:
    """Return where a trial was stopped for this study, by this halving or by any.

    Raises:
        RunError: The file that records it is damaged.
    """
    cut = read_stored(folder / PRUNED, Cut)
    if cut is None:
        return None
    is_same = halving is None or (halving.min_epochs, halving.factor) == (
        cut.min_epochs,
        cut.factor,
    )
    return cut if cut.study == study and is_same else None


def write_cut(folder: Path, cut: Cut | None) -> None:
    """Record in a trial's folder where it was stopped, or that it continues.

    Raises:
        RunError: The folder cannot be written.
    """
    try:
        if cut is None:
            (folder / PRUNED).unlink(missing_ok=True)
        else:
            write_json(folder / PRUNED, asdict(cut), is_shared=True)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}; choose another --root") from None
