"""The report of a study: one HTML page, the raw rows as CSV, the findings as JSON and Markdown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnext._version import __version__
from resnext.errors import RunError
from resnext.evaluation.templates import report_templates
from resnext.files import write_whole
from resnext.model.names import name_of
from resnext.studies.analysis.design_time import DesignTime, read_timing
from resnext.studies.analysis.export_rows import csv_text
from resnext.studies.analysis.statistics import measures_of
from resnext.studies.analysis.summary import (
    Summary,
    as_dict,
    summarise_study,
    summary_lines,
    time_lines,
)
from resnext.studies.analysis.table import spread_text
from resnext.studies.analysis.verdict import describe_method, needed_text, verdict, word
from resnext.studies.records.provenance import Provenance, trace
from resnext.studies.records.results import Row
from resnext.studies.report.figures import draw_figures, draw_time_figure
from resnext.studies.study import Study
from resnext.tasks.measure import as_title
from resnext.untrusted.text import markdown_text


def write_report(study: Study, rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `report.html`, `results.csv`, `results.json` and `results.md`.

    Args:
        study: The study.
        rows: All of its rows, finished or not.
        folder: The study's folder; times stored there are included.

    Returns:
        The files.

    Raises:
        RunError: A file cannot be written.
    """
    summary = summarise_study(study, rows)
    made = trace(study, rows)
    times, _ = _times(folder)
    lines = [
        *summary_lines(study, rows, summary, markdown_text),
        *time_lines(times, markdown_text),
        *_made_lines(made),
    ]
    texts = {
        "report.html": render_report(study, rows, folder, (summary, made)),
        "results.csv": csv_text(study, rows),
        "results.json": json.dumps(as_dict(study, rows, summary), indent=1, allow_nan=False),
        "results.md": "\n".join(lines) + "\n",
    }
    try:
        for name, text in texts.items():
            write_whole(folder / name, text, is_shared=True)
    except OSError as error:
        raise RunError(f"cannot write the report into {folder}: {error.strerror}") from None
    return [folder / name for name in texts]


def _made_lines(made: Provenance) -> list[str]:
    """Describe how the trials were run, as lines of Markdown."""
    items = [*made.arithmetic, describe_scheduling(made.is_repeatable), *made.mixtures]
    return ["", "## How it was run", "", *(f"- {markdown_text(item)}" for item in items)]


def describe_scheduling(is_recorded: bool) -> str:
    """Describe whether the number of concurrent trials can have affected the results."""
    if is_recorded:
        return (
            "these are part of a trial's name, so the results do not depend on how many trials "
            "ran at once (--jobs)"
        )
    return (
        "some trials did not record threads and processes; their numbers depended on how many "
        "trials ran at once (--jobs), which may have affected the results"
    )


def _times(folder: Path) -> tuple[list[DesignTime], list[str]]:
    """Return the measured times, and a message if they are damaged."""
    try:
        return read_timing(folder), []
    except RunError as error:
        return [], [f"{error}; measure again with --time"]


def render_report(
    study: Study, rows: Sequence[Row], folder: Path, found: tuple[Summary, Provenance]
) -> str:
    """Return the page as text; see `write_report`."""
    summary, made = found
    environment = report_templates("studies/report", "evaluation")
    environment.filters |= {
        "spread": spread_text,
        "verdict": verdict,
        "needed": needed_text,
        "word": word,
        "method": describe_method,
    }
    times, damage = _times(folder)
    return environment.get_template("report.html.j2").render(
        study=study,
        version=__version__,
        summary=summary,
        quantity=" and ".join(dict.fromkeys(as_title(m.metric.label) for m in measures_of(study))),
        is_claimed=bool(study.comparisons),
        figures=draw_figures(study, rows),
        num_unfinished=_num_unfinished(study, rows),
        times=times,
        time_figure=draw_time_figure(study, rows, times),
        costs=_costs(study, rows),
        provenance=made,
        scheduling=describe_scheduling(made.is_repeatable),
        damage=[*made.damage, *damage],
        num_trials=len(rows),
    )


def _num_unfinished(study: Study, rows: Sequence[Row]) -> int:
    """Count the designs without an error, which a distribution plot omits."""
    finished = {row.design.label for row in rows if row.figures}
    return len(study.designs) - len(finished)


def _costs(study: Study, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the cost of each design, and how many of its trials are done."""
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_label[row.design.label].append(row)
    return [
        {
            "label": design.label,
            "network": name_of(design.model),
            "figures": next((r.figures for r in by_label[design.label] if r.figures), None),
            "done": sum(row.state == "done" for row in by_label[design.label]),
            "trials": len(by_label[design.label]),
        }
        for design in study.designs
    ]
