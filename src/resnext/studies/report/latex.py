"""The errors of a study as LaTeX tables, using booktabs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resnext.studies.analysis.distribution import groups_of
from resnext.studies.analysis.statistics import Measure, errors_of, measures_of
from resnext.studies.analysis.summary import Summary
from resnext.studies.analysis.table import Cell, ErrorTable
from resnext.studies.analysis.verdict import quantity
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.study import Study
from resnext.tasks.measure import as_title
from resnext.untrusted.text import printable

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    **{char: f"\\{char}" for char in "{}$&#_%"},
    # Not the optional argument or the star of the command before, nor part of a ligature
    **{char: f"{{{char}}}" for char in "[]*`"},
}
_LAST_OF_PDFLATEX = "\u024f"
"""Non-Latin letters need a font that only XeLaTeX and LuaLaTeX find automatically."""

_NOT_MEASURED = "--"

_MAX_LINE_LENGTH = 36
"""Longer names are wrapped, so that the table fits a column of a paper."""


def latex_text(text: str) -> str:
    """Escape text for LaTeX."""
    escaped = "".join(_ESCAPED.get(char, char) for char in printable(text))
    return escaped.replace("--", "-{}-").replace("--", "-{}-")  # no dashes, also of three


def latex_tables(study: Study, rows: Sequence[Row], summary: Summary) -> dict[str, str]:
    """Write a table for each data set and test.

    Args:
        study: The study.
        rows: All of its rows.
        summary: Its findings.

    Returns:
        LaTeX source by the name of the measure. A distribution study that is too large for one row
        per design has one row per group.
    """
    costs = {row.design.label: row.figures for row in rows if row.figures}
    if summary.tables:
        return {
            str(table.measure): _document(study, summary, *_design_table(study, table, costs))
            for table in summary.tables
        }
    return {
        str(measure): _document(study, summary, *_group_table(study, rows, measure))
        for measure in measures_of(study)
        if errors_of(rows, measure)
    }


def _document(study: Study, summary: Summary, caption: str, columns: str, lines: list[str]) -> str:
    head, *body = lines
    text = [
        r"% Needs \usepackage{booktabs} in the preamble.",
        f"% {printable(summary.answer)}",
        r"\begin{table}",
        r"  \centering",
        r"  \small",
        f"  \\caption{{{caption}}}",
        f"  \\label{{tab:{study.name}}}",
        f"  \\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"    \toprule",
        f"    {head}",
        r"    \midrule",
        *(f"    {line}" for line in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    if any(char > _LAST_OF_PDFLATEX and char.isalpha() for line in lines for char in line):
        text.insert(1, "% Some names use non-Latin letters: compile with XeLaTeX or LuaLaTeX.")
    return "\n".join(text) + "\n"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _design_table(
    study: Study, table: ErrorTable, costs: dict[str, TrialFigures]
) -> tuple[str, str, list[str]]:
    cells = {cell.label: cell for _, row in table.rows for cell in row if cell is not None}
    lines = [_row(["design", "params.", "mult.-adds", _column(table.measure), "$n$"])]
    for design in study.designs:
        figures, cell = costs.get(design.label), cells.get(design.label)
        size = [_NOT_MEASURED] * 2
        if figures is not None:
            size = [_short(figures.parameters), _short(figures.macs)]
        lines.append(_row([latex_text(design.label), *size, *_error(cell)]))
    stopped = any(cell.num_stopped for cell in cells.values())
    note = (
        "A dagger marks designs of which some seeds were stopped because of their errors." * stopped
    )
    caption = (
        f"{_title(table.measure)} on {latex_text(str(table.measure))} after the last epoch, mean "
        "$\\pm$ standard deviation over $n$ seeds. The best mean is bold; it may not differ "
        f"significantly from the others.{note}"
    )
    is_long = max(len(design.label) for design in study.designs) > _MAX_LINE_LENGTH
    return caption, ("p{0.4\\linewidth}" if is_long else "l") + "rrrr", lines


def _error(cell: Cell | None) -> list[str]:
    """Format the error of a design with its spread and number of seeds."""
    if cell is None or cell.mean is None:
        return [_NOT_MEASURED, "0"]
    mean = f"{cell.mean.mean:.2f}"
    text = rf"\textbf{{{mean}}}" if cell.is_best else mean
    spread = "" if cell.mean.deviation is None else rf" $\pm$ {cell.mean.deviation:.2f}"
    return [text + spread, f"{cell.mean.n}" + (r"$^\dagger$" if cell.num_stopped else "")]


def _group_table(study: Study, rows: Sequence[Row], measure: Measure) -> tuple[str, str, list[str]]:
    lines = [_row(["designs", _column(measure), "median", "best", "$n$"])]
    for group in groups_of(study, rows, measure):
        values = np.array(group.values)
        spread = rf" $\pm$ {values.std(ddof=1):.2f}" if len(values) > 1 else ""
        best = min(values, key=measure.metric.cost)
        figures = [f"{np.median(values):.2f}", f"{best:.2f}", str(len(values))]
        lines.append(_row([latex_text(group.name), f"{values.mean():.2f}{spread}", *figures]))
    caption = (
        f"{_title(measure)} on {latex_text(str(measure))} after the last epoch, mean $\\pm$ "
        "standard deviation over $n$ designs."
    )
    return caption, "lrrrr", lines


def _title(measure: Measure) -> str:
    return latex_text(as_title(measure.metric.label))


def _column(measure: Measure) -> str:
    return rf"{latex_text(quantity(measure.metric))} (\%)"


def _short(value: float) -> str:
    """Format a count with three digits and its unit: `25.0 M`."""
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if value >= size:
            return f"{value / size:#.3g}".rstrip(".") + unit
    return f"{value:.0f}"
