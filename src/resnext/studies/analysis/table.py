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
from resnext.studies.study import Design, PaperResult, Study


@dataclass(frozen=True)
class Cell:
    """One design in a table.

    Attributes:
        label: Label of the design.
        mean: Our top-1 error or other measure, or None if no trial has finished.
        top5: Our top-5 error, if measured.
        training: Our result on the training images.
        paper: The paper's results for this network on these images, if any.
        counterparts: The paper's results for the networks that this one corresponds to.
        is_best: Whether it is the best mean of its table among designs without stopped trials.
        num_stopped: Trials that halving stopped, which makes the mean too good.
    """

    label: str
    mean: Mean | None
    top5: Mean | None = None
    training: Mean | None = None
    paper: PaperResult | None = None
    counterparts: tuple[PaperResult, ...] = ()
    is_best: bool = False
    num_stopped: int = 0

    def counterpart(self, number: int) -> PaperResult | None:
        """Return one of the paper's results for corresponding networks, if any."""
        return self.counterparts[number] if number < len(self.counterparts) else None

    def __str__(self) -> str:
        text = "-" if self.mean is None else spread_text(self.mean)
        return f"{text}, {self.num_stopped} stopped" if self.num_stopped else text


@dataclass(frozen=True)
class ErrorTable:
    """Errors of one data set and test.

    Attributes:
        measure: The kind of error.
        columns: Titles of the columns.
        rows: Title and cells of each row; None if there is no design.
        counterparts: Titles of the paper's results for corresponding networks: the first, the
            second, ... of each cell.
    """

    measure: Measure
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    counterparts: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether each row has one design; then the paper's results are columns, otherwise rows."""
        return len(self.columns) == 1


def error_tables(study: Study, rows: Sequence[Row]) -> list[ErrorTable]:
    """Arrange the errors of a study in one table per data set and test."""
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
    shown = tuple(column or measure.metric.label for column in columns)
    return ErrorTable(measure, shown, filled, _counterpart_titles(cells))


def _counterpart_titles(cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """Return titles, with the data set, for the first, second, ... results of the paper."""
    longest = max((cell.counterparts for cell in cells.values()), key=len, default=())
    return tuple(f"the paper, {figure.data}" for figure in longest)


def _cells(study: Study, rows: Sequence[Row], measure: Measure) -> dict[str, Cell]:
    """Return the cell of each design by its label."""
    means = means_of(errors_of(rows, measure))
    top5 = means_of(top5_errors_of(rows, measure))
    training = {} if measure.test else means_of(errors_of(rows, replace(measure, is_training=True)))
    stopped = num_stopped(rows, measure.data)
    whole = [m.mean for label, m in means.items() if not stopped[label]]
    best = min(whole, key=measure.metric.cost, default=None)
    paper, counterparts = own_figures(study, measure), counterparts_of(study, measure)
    return {
        label: Cell(
            label,
            means.get(label),
            top5.get(label),
            training.get(label),
            paper.get(label),
            counterparts.get(label, ()),
            is_best=label in means and not stopped[label] and means[label].mean == best,
            num_stopped=stopped[label],
        )
        for label in (design.label for design in study.designs)
    }


def _positions(designs: Sequence[Design]) -> dict[tuple[str, str], Design]:
    """Assign each design a row and a column; without a unique position, its own row."""
    shared = Counter((design.row, design.column) for design in designs)
    return {
        (design.row, design.column)
        if design.row and design.column and shared[design.row, design.column] == 1
        else (design.label, ""): design
        for design in designs
    }


def spread_text(mean: Mean, with_n: bool = True) -> str:
    """Format a mean with its spread and number of seeds: `7.31 ± 0.12 (3)`."""
    spread = "" if mean.deviation is None else f" ± {mean.deviation:.2f}"
    return f"{mean.mean:.2f}{spread}" + (f" ({mean.n})" if with_n else "")
