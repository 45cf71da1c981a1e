"""The table of a study in the paper's layout: designs in rows and columns, errors in the cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from resnext.studies.results import Row
from resnext.studies.statistics import (
    Mean,
    Measure,
    errors_of,
    means_of,
    measures_of,
    top5_errors_of,
)
from resnext.studies.study import Design, PaperError, Study


@dataclass(frozen=True)
class Cell:
    """One design in a table.

    Attributes:
        mean: Our top-1 error, or None where nothing has finished.
        top5: Our top-5 error, if it was measured.
        training: Our error on the training images.
        paper: The paper's figures, if it has some.
        is_best: The lowest mean of its table.
    """

    mean: Mean | None
    top5: Mean | None = None
    training: Mean | None = None
    paper: PaperError | None = None
    is_best: bool = False

    def __str__(self) -> str:
        return "-" if self.mean is None else spread_text(self.mean)


@dataclass(frozen=True)
class ErrorTable:
    """Errors of one data set and test.

    Attributes:
        measure: Which error.
        columns: Titles of the columns.
        rows: Title and cells of each row; None where there is no design.
    """

    measure: Measure
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def error_tables(study: Study, rows: Sequence[Row]) -> list[ErrorTable]:
    """Arrange the errors of a study, a table for each data set and test."""
    return [_table(study, rows, measure) for measure in measures_of(study)]


def other_paper_figures(study: Study) -> list[PaperError]:
    """Return the paper's figures of networks or images that the study does not have."""
    labels = {design.label for design in study.designs}
    shown = {(measure.data, measure.test) for measure in measures_of(study)}
    return [p for p in study.paper if p.design not in labels or (p.data, p.test) not in shown]


def _table(study: Study, rows: Sequence[Row], measure: Measure) -> ErrorTable:
    cells = _cells(study, rows, measure)
    places = _places(study.designs)
    titles = list(dict.fromkeys(title for title, _ in places))
    columns = list(dict.fromkeys(column for _, column in places))
    labels = {place: design.label for place, design in places.items()}
    filled = tuple(
        (title, tuple(cells.get(labels.get((title, column), "")) for column in columns))
        for title in titles
    )
    return ErrorTable(measure, tuple(column or "top-1 error" for column in columns), filled)


def _cells(study: Study, rows: Sequence[Row], measure: Measure) -> dict[str, Cell]:
    """Return the cell of each design by its label."""
    means = means_of(errors_of(rows, measure))
    top5 = means_of(top5_errors_of(rows, measure))
    training = {} if measure.test else means_of(errors_of(rows, replace(measure, is_training=True)))
    lowest = min((mean.mean for mean in means.values()), default=None)
    paper = {p.design: p for p in study.paper if (p.data, p.test) == (measure.data, measure.test)}
    return {
        label: Cell(
            means.get(label),
            top5.get(label),
            training.get(label),
            paper.get(label),
            is_best=label in means and means[label].mean == lowest,
        )
        for label in (design.label for design in study.designs)
    }


def _places(designs: Sequence[Design]) -> dict[tuple[str, str], Design]:
    """Give each design a row and a column; one without, or of a shared place, has its own row."""
    shared = Counter((design.row, design.column) for design in designs)
    return {
        (design.row, design.column)
        if design.row and design.column and shared[design.row, design.column] == 1
        else (design.label, ""): design
        for design in designs
    }


def spread_text(mean: Mean, with_n: bool = True) -> str:
    """Write a mean with its spread and number: `7.31 ± 0.12 (3)`."""
    spread = "" if mean.deviation is None else f" ± {mean.deviation:.2f}"
    return f"{mean.mean:.2f}{spread}" + (f" ({mean.n})" if with_n else "")
