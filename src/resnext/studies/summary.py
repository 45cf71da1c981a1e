"""A study's findings as data, as JSON, as lines of text, and as rows of a file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.studies.ranking import Agreement, rank_agreements
from resnext.studies.results import Row
from resnext.studies.statistics import Difference, compare
from resnext.studies.study import Study
from resnext.studies.table import Cell, ErrorTable, error_tables
from resnext.studies.verdict import verdict


@dataclass(frozen=True)
class Summary:
    """What came out of a study.

    Attributes:
        tables: Errors, for each data set and test.
        differences: The claims, tested.
        agreements: Whether designs rank alike on different data sets.
        states: How many trials are in which state.
    """

    tables: list[ErrorTable]
    differences: list[Difference]
    agreements: list[Agreement]
    states: dict[str, int]


def summarise_study(study: Study, rows: Sequence[Row]) -> Summary:
    """Work out what a study shows so far."""
    return Summary(
        error_tables(study, rows),
        compare(study, rows),
        rank_agreements(study, rows),
        dict(Counter(row.state for row in rows)),
    )


def as_dict(study: Study, rows: Sequence[Row]) -> dict[str, Any]:
    """Return trials and findings as JSON values."""
    summary = summarise_study(study, rows)
    return {
        "name": study.name,
        "question": study.question,
        "states": summary.states,
        "differences": [_as_values(row) for row in summary.differences],
        "rank_agreements": [asdict(row) for row in summary.agreements],
        "trials": [trial_row(study, row) for row in rows],
    }


def _as_values(row: Difference) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name != "comparison"}
    values = {name: None if value != value else value for name, value in values.items()}  # NaN
    found = {"resolved": row.is_resolved, "verdict": verdict(row)}
    return {**row.comparison.model_dump(), **values, **found}


def trial_row(study: Study, row: Row) -> dict[str, Any]:
    """Return one trial as a flat row: what it was, and what came out."""
    model, figures = row.design.model, row.figures
    values: dict[str, Any] = {
        "design": row.design.label,
        "row": row.design.row,
        "column": row.design.column,
        "network": name_of(model),
        "cardinality": model.cardinality if isinstance(model, ResNeXtConfig) else None,
        "bottleneck_width": model.bottleneck_width if isinstance(model, ResNeXtConfig) else None,
        "depth": model.depth if isinstance(model, ResNeXtConfig) else None,
        "data": row.trial.data,
        "seed": row.trial.seed,
        "state": row.state,
        "reason": row.attempts[-1]["reason"] if row.attempts and row.state != "done" else None,
    }
    for name in _FIGURES:
        values[name] = None if figures is None else getattr(figures, name)
    for test in study.tests:
        top1, top5 = row.tests.get(test.name, (None, None))
        values |= {f"top1_error_{test.name}": top1, f"top5_error_{test.name}": top5}
    return {**values, "key": row.trial.key}


_FIGURES = (
    *("top1_error", "top5_error", "loss", "train_top1_error", "train_loss", "best_top1_error"),
    *("parameters", "macs", "activations", "epochs", "seconds", "machine", "precision"),
)


def csv_text(study: Study, rows: Sequence[Row]) -> str:
    """Return all trials as CSV, a line each."""
    flat = [trial_row(study, row) for row in rows]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(flat[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return file.getvalue()


def summary_lines(study: Study, rows: Sequence[Row]) -> list[str]:
    """Return the findings as lines of Markdown, which also read well in a terminal."""
    summary = summarise_study(study, rows)
    lines = [f"# {study.name}", *(["", study.question] if study.question else [])]
    if study.source:
        lines += ["", f"Source: {study.source}."]
    if study.note:
        lines += ["", study.note]
    told = ", ".join(f"{number} {state}" for state, number in summary.states.items())
    lines += ["", f"{len(rows)} trials: {told}."]
    for table in summary.tables:
        lines += ["", *_table_lines(table)]
    if summary.differences:
        lines += ["", "## Comparisons", ""]
        lines += [f"- {verdict(row)}" for row in summary.differences]
    for row in summary.agreements:
        lines += [
            "",
            f"Ranking of {row.num_designs} designs on {row.first} and {row.second}: Kendall's tau "
            f"{row.tau:.2f} (p = {row.p:.3f}).",
        ]
    return lines


def _table_lines(table: ErrorTable) -> list[str]:
    cells = [["", *table.columns]]
    cells += [[title, *(_cell_text(cell) for cell in row)] for title, row in table.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    title = f"## {table.title}: top-1 error in percent, mean ± standard deviation (seeds)"
    return [title, "", lines[0], rule, *lines[1:]]


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    text = f"**{cell}**" if cell.is_best else str(cell)
    return text + (f" [paper {cell.paper.top1_error}]" if cell.paper else "")
