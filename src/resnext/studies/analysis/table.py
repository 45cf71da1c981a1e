"""The table of a study in the paper's layout: designs in rows and columns, errors in the cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from resnext.studies.analysis.paper import counterparts_of, own_figures
from resnext.studies.analysis.statistics import (
    Mean,
    Measure,
    errors_of,
    means_of,
    measures_of,
    top5_errors_of,
)
from resnext.studies.records.results import Row, num_stopped
from resnext.studies.study import Design, PaperError, Study


@dataclass(frozen=True)
class Cell:
    """One design in a table.

    Attributes:
        label: Label of the design.
        mean: Our top-1 error, or None where nothing has finished.
        top5: Our top-5 error, if it was measured.
        training: Our error on the training images.
        paper: The paper's figures of this network on these images, if it has some.
        counterparts: Its figures of the networks that this one stands for.
        is_best: The lowest mean of its table, of the designs of which no trial was stopped.
        num_stopped: Trials that halving stopped, so that the mean is too low.
    """

    label: str
    mean: Mean | None
    top5: Mean | None = None
    training: Mean | None = None
    paper: PaperError | None = None
    counterparts: tuple[PaperError, ...] = ()
    is_best: bool = False
    num_stopped: int = 0

    def counterpart(self, number: int) -> PaperError | None:
        """Return one of the paper's figures of the networks that this one stands for, if any."""
        return self.counterparts[number] if number < len(self.counterparts) else None

    def __str__(self) -> str:
        text = "-" if self.mean is None else spread_text(self.mean)
        return f"{text}, {self.num_stopped} stopped" if self.num_stopped else text


@dataclass(frozen=True)
class ErrorTable:
    """Errors of one data set and test.

    Attributes:
        measure: Which error.
        columns: Titles of the columns.
        rows: Title and cells of each row; None where there is no design.
        counterparts: Titles of the paper's figures of the networks that ours stand for: the
            first, the second, ... of each cell.
    """

    measure: Measure
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    counterparts: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """One design a row: the paper's figures take columns of their own, else rows."""
        return len(self.columns) == 1


def error_tables(study: Study, rows: Sequence[Row]) -> list[ErrorTable]:
    """Arrange the errors of a study, a table for each data set and test."""
    return [_table(study, rows, measure) for measure in measures_of(study)]


def _table(study: Study, rows: Sequence[Row], measure: Measure) -> ErrorTable:
    cells = _cells(study, rows, measure)
    positions = _positions(study.designs)
    titles = list(dict.fromkeys(title for title, _ in positions))
    columns = list(dict.fromkeys(column for _, column in positions))
    labels = {position: design.label for position, design in positions.items()}
    filled = tuple(
        (title, tuple(cells.get(labels.get((title, column), "")) for column in columns))
        for title in titles
    )
    shown = tuple(column or "top-1 error" for column in columns)
    return ErrorTable(measure, shown, filled, _counterpart_titles(cells))


def _counterpart_titles(cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """Name the images of the first, the second, ... of the paper's figures of all cells."""
    longest = max((cell.counterparts for cell in cells.values()), key=len, default=())
    return tuple(f"the paper, {figure.data}" for figure in longest)


def _cells(study: Study, rows: Sequence[Row], measure: Measure) -> dict[str, Cell]:
    """Return the cell of each design by its label."""
    means = means_of(errors_of(rows, measure))
    top5 = means_of(top5_errors_of(rows, measure))
    training = {} if measure.test else means_of(errors_of(rows, replace(measure, is_training=True)))
    stopped = num_stopped(rows, measure.data)
    lowest = min((m.mean for label, m in means.items() if not stopped[label]), default=None)
    paper, counterparts = own_figures(study, measure), counterparts_of(study, measure)
    return {
        label: Cell(
            label,
            means.get(label),
            top5.get(label),
            training.get(label),
            paper.get(label),
            counterparts.get(label, ()),
            is_best=label in means and not stopped[label] and means[label].mean == lowest,
            num_stopped=stopped[label],
        )
        for label in (design.label for design in study.designs)
    }


def _positions(designs: Sequence[Design]) -> dict[tuple[str, str], Design]:
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
