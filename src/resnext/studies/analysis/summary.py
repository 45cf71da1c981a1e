"""A study's findings as data and as text."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from resnext.studies.analysis.answer import describe_answer
from resnext.studies.analysis.design_time import DesignTime
from resnext.studies.analysis.differences import Difference, compare, compare_training
from resnext.studies.analysis.distribution import GroupDifference, compare_groups
from resnext.studies.analysis.export_rows import trial_row
from resnext.studies.analysis.halving_agreement import HalvingAgreement, halving_agreement
from resnext.studies.analysis.paper import other_paper_figures
from resnext.studies.analysis.problems import describe_problems
from resnext.studies.analysis.ranking import Agreement, paper_agreements, rank_agreements
from resnext.studies.analysis.statistics import Measure, errors_of, means_of, measures_of
from resnext.studies.analysis.table import Cell, ErrorTable, error_tables
from resnext.studies.analysis.verdict import describe_method, verdict
from resnext.studies.records.arithmetic import describe_arithmetic
from resnext.studies.records.provenance import find_mixtures
from resnext.studies.records.results import Row
from resnext.studies.study import PaperResult, Study
from resnext.untrusted.text import printable

COMPARISONS = "Comparisons"
PROBLEMS = "Trials with problems"
TRAINING = "The same on the training data"
"""Titles of lists."""

MAX_IN_TABLE = 40
"""A distribution of more designs than this is plotted, not tabulated."""


@dataclass(frozen=True)
class Summary:
    """The findings of a study.

    Attributes:
        answer: The answer to the study's question, in a sentence.
        tables: Errors, for each data set and test.
        differences: The tested claims.
        training_differences: The same on the training data.
        group_differences: Tests between groups of designs, in a distribution study.
        agreements: Rank correlations between data sets, and with the paper.
        halvings: How successive halving would have agreed with full training, if the study defines
            halving and Optuna is installed.
        other_paper: The paper's results that match none of ours.
        states: Number of trials in each state.
        problems: Finished trials with problems, and what to do.
    """

    answer: str
    tables: list[ErrorTable]
    differences: list[Difference]
    training_differences: list[Difference]
    group_differences: list[GroupDifference]
    agreements: list[Agreement]
    halvings: list[HalvingAgreement]
    other_paper: list[PaperResult]
    states: dict[str, int]
    problems: list[str]


def summarise_study(study: Study, rows: Sequence[Row]) -> Summary:
    """Analyse the results of a study so far."""
    differences, groups = compare(study, rows), compare_groups(study, rows)
    is_tabulated = study.kind == "table" or len(study.designs) <= MAX_IN_TABLE
    return Summary(
        describe_answer(study, rows, differences, groups),
        error_tables(study, rows) if is_tabulated else [],
        differences,
        compare_training(study, rows),
        groups,
        [*rank_agreements(study, rows), *paper_agreements(study, rows)],
        _halvings(study, rows),
        other_paper_figures(study),
        dict(Counter(row.state for row in rows)),
        describe_problems(rows),
    )


def _halvings(study: Study, rows: Sequence[Row]) -> list[HalvingAgreement]:
    if study.halving is None or importlib.util.find_spec("optuna") is None:
        return []
    return halving_agreement(rows, study.halving)


def as_dict(study: Study, rows: Sequence[Row], summary: Summary | None = None) -> dict[str, Any]:
    """Return trials and findings as JSON values.

    Args:
        study: The study.
        rows: All of its rows.
        summary: Its findings, if already computed.
    """
    summary = summary or summarise_study(study, rows)
    return {
        "answer": summary.answer,
        "name": study.name,
        "question": study.question,
        "states": summary.states,
        "errors": [
            {**_of(measure), **_without_nan(asdict(mean))}
            for measure in measures_of(study)
            for mean in means_of(errors_of(rows, measure)).values()
        ],
        "method": describe_method(summary.differences),
        "training_method": describe_method(summary.training_differences),
        "differences": [_difference(row) for row in summary.differences],
        "training_differences": [_difference(row) for row in summary.training_differences],
        "group_differences": [_group_difference(row) for row in summary.group_differences],
        "halving_agreements": [asdict(row) for row in summary.halvings],
        "rank_agreements": [_without_nan(asdict(row)) for row in summary.agreements],
        "arithmetic": describe_arithmetic(row.trial for row in rows),
        "mixtures": find_mixtures(study, rows),
        "problems": summary.problems,
        "damage": [text for row in rows for text in row.damage],
        "paper": [figure.model_dump(exclude_defaults=True) for figure in study.paper],
        "trials": [_without_nan(trial_row(study, row)) for row in rows],
    }


def _of(measure: Measure) -> dict[str, Any]:
    return {"data": measure.data, "test": measure.test}


def _difference(row: Difference) -> dict[str, Any]:
    hidden = ("comparison", "measure")
    values = {name: value for name, value in vars(row).items() if name not in hidden}
    found = {"resolved": row.is_resolved, "verdict": verdict(row)}
    return {**row.comparison.model_dump(), **_of(row.measure), **_without_nan(values), **found}


def _group_difference(row: GroupDifference) -> dict[str, Any]:
    groups = {"first": row.first.name, "second": row.second.name}
    names = ("statistic", "p", "corrected_p", "correction", "num_compared")
    tested = {name: getattr(row, name) for name in names}
    found = {"resolved": row.is_resolved, "verdict": str(row)}
    return {**_of(row.measure), **groups, **_without_nan(tested), **found}


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Replace values that JSON cannot represent."""
    infinite = (float("inf"), float("-inf"))
    return {k: None if v != v or v in infinite else v for k, v in values.items()}


Escape = Callable[[str], str]
"""Escapes text for its destination: `printable` for a terminal, or `markdown_text`."""


def summary_lines(
    study: Study,
    rows: Sequence[Row],
    summary: Summary | None = None,
    escape: Escape = printable,
) -> list[str]:
    """Return the findings as lines of Markdown, which also read well in a terminal.

    Args:
        study: The study.
        rows: All of its rows.
        summary: Its findings, if already computed.
        escape: Escapes texts, which may contain user-chosen names.
    """
    summary = summary or summarise_study(study, rows)
    lines = [f"# {escape(study.name)}", "", escape(summary.answer)]
    if study.question:
        lines += ["", f"Question: {escape(study.question)}"]
    if study.source:
        lines += ["", escape(f"Source: {study.source}.")]
    if study.note:
        lines += ["", escape(study.note)]
    text = ", ".join(f"{number} {state}" for state, number in summary.states.items())
    lines += ["", f"{len(rows)} trials: {text}."]
    for table in summary.tables:
        lines += ["", *_table_lines(table, escape)]
    training = [row for row in summary.training_differences if row.n]
    lists: dict[str, Iterable[str]] = {
        PROBLEMS: summary.problems,
        COMPARISONS: map(verdict, summary.differences),
        TRAINING: map(verdict, training),
        "Distributions": map(str, summary.group_differences),
        "Rankings": map(str, summary.agreements),
        "Successive halving": map(str, summary.halvings),
        "The paper's figures, of its own networks and data": map(_paper_line, summary.other_paper),
    }
    methods = {
        COMPARISONS: describe_method(summary.differences),
        TRAINING: describe_method(training),
    }
    for title, items in lists.items():
        lines += _list(title, [escape(item) for item in items], methods.get(title, ""))
    return lines


def _list(title: str, items: Sequence[str], method: str) -> list[str]:
    text = ["", method] if method else []
    return ["", f"## {title}", *text, "", *(f"- {item}" for item in items)] if items else []


def _paper_line(figure: PaperResult) -> str:
    data = figure.data + (f", {figure.test}" if figure.test else "")
    return f"{figure.design} on {data}: {figure}"


def _table_lines(table: ErrorTable, escape: Escape) -> list[str]:
    titles = [escape(title) for title in table.counterparts]
    cells = [["", *map(escape, table.columns), *(titles if table.is_list else ())]]
    for title, row in table.rows:
        cells.append([escape(title), *(_cell_text(cell) for cell in row)])
        paper = [[escape(_counterpart_text(cell, k)) for cell in row] for k in range(len(titles))]
        if table.is_list:
            cells[-1] += [text for (text,) in paper]
        else:
            cells += [[title, *texts] for title, texts in zip(titles, paper, strict=True)]
    what = f"{table.measure.metric.label} in percent, mean ± standard deviation (seeds)"
    return [f"## {escape(str(table.measure))}: {what}", "", *_aligned(cells)]


def time_lines(times: Sequence[DesignTime], escape: Escape = printable) -> list[str]:
    """Return the measured times of the designs as lines of Markdown; empty if not measured."""
    if not times:
        return []
    first = times[0]
    cells = [["", "training step, ms", "inference, ms"]]
    for row in times:
        step = f"{row.step_ms:.1f} ({row.step_ms_low:.1f} to {row.step_ms_high:.1f})"
        low, high = row.latency_ms_low, row.latency_ms_high
        cells.append([escape(row.label), step, f"{row.latency_ms:.2f} ({low:.2f} to {high:.2f})"])
    text = (
        f"A step of {first.batch} and the inference of {first.one}, in turns on "
        f"{escape(first.machine)}, {first.threads} thread(s); medians of {first.n} rounds "
        "(quartiles)."
    )
    return ["", "## Time", "", text, "", *_aligned(cells)]


def _aligned(cells: list[list[str]]) -> list[str]:
    """Format a table whose first row is the header."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [lines[0], rule, *lines[1:]]


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    text = f"**{cell}**" if cell.is_best else str(cell)
    return text + (f" [paper {cell.paper.value}]" if cell.paper else "")


def _counterpart_text(cell: Cell | None, number: int) -> str:
    figure = None if cell is None else cell.counterpart(number)
    return "" if figure is None else f"{figure.value} ({figure.design})"
