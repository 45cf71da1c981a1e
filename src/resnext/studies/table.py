"""The table of a study in the paper's layout: designs in rows and columns, errors in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnext.studies.results import Row
from resnext.studies.statistics import Mean, errors_of, summarise
from resnext.studies.study import Design, PaperError, Study, data_label


@dataclass(frozen=True)
class Cell:
    """One design in a table.

    Attributes:
        mean: Our error, or None where nothing has finished.
        training: Our error on the training images.
        paper: The paper's figure, if it has one.
        is_best: The lowest mean of its table.
    """

    mean: Mean | None
    training: Mean | None
    paper: PaperError | None
    is_best: bool = False

    def __str__(self) -> str:
        return "-" if self.mean is None else spread_text(self.mean)


@dataclass(frozen=True)
class ErrorTable:
    """Errors of one data set and test.

    Attributes:
        data: Name of the data set.
        test: Name of the test; empty for validation.
        columns: Titles of the columns.
        rows: Title and cells of each row; None where there is no design.
    """

    data: str
    test: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]

    @property
    def title(self) -> str:
        """What the table shows."""
        return self.data + (f", {self.test}" if self.test else "")


def error_tables(study: Study, rows: Sequence[Row]) -> list[ErrorTable]:
    """Arrange the errors of a study, a table for each data set and test."""
    return [
        _table(study, rows, data_label(settings.data), test)
        for settings in study.settings
        for test in ("", *(test.name for test in study.tests))
    ]


def _table(study: Study, rows: Sequence[Row], data: str, test: str) -> ErrorTable:
    errors = errors_of(rows, data, test)
    training = errors_of(rows, data, training=True) if not test else {}
    means = {label: summarise(label, by_seed.values()) for label, by_seed in errors.items()}
    best = min(means.values(), key=lambda mean: mean.mean).label if means else ""
    places = {_place(design): design.label for design in study.designs}
    titles = list(dict.fromkeys(row for row, _ in places))
    columns = list(dict.fromkeys(column for _, column in places))

    def cell(place: tuple[str, str]) -> Cell | None:
        if place not in places:
            return None
        label = places[place]
        trained = summarise(label, training[label].values()) if label in training else None
        paper = next(
            (p for p in study.paper if (p.design, p.data, p.test) == (label, data, test)), None
        )
        return Cell(means.get(label), trained, paper, is_best=label == best)

    filled = tuple((title, tuple(cell((title, column)) for column in columns)) for title in titles)
    return ErrorTable(data, test, tuple(column or "top-1 error" for column in columns), filled)


def _place(design: Design) -> tuple[str, str]:
    """Return row and column; a design without a row, or of a shared place, has its own row."""
    if design.row and design.column:
        return design.row, design.column
    return design.label, ""


def spread_text(mean: Mean) -> str:
    """Write a mean with its spread and number: `7.31 ± 0.12 (3)`."""
    spread = "" if mean.deviation is None else f" ± {mean.deviation:.2f}"
    return f"{mean.mean:.2f}{spread} ({mean.n})"
