"""The report of a study: one HTML page, the raw rows as CSV, the findings as JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from matplotlib.ticker import EngFormatter

import resnext
from resnext.errors import RunError
from resnext.model.names import name_of
from resnext.studies.figures import draw_figures, draw_time_figure
from resnext.studies.results import Row
from resnext.studies.study import Study
from resnext.studies.summary import as_dict, csv_text, summarise_study, summary_lines
from resnext.studies.table import spread_text
from resnext.studies.timing import read_timing
from resnext.studies.verdict import verdict, word


def write_report(study: Study, rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write `report.html`, `results.csv`, `results.json` and `results.md`.

    Args:
        study: The study.
        rows: All of its rows, finished or not.
        folder: The study's folder; times that lie there are shown.

    Returns:
        The files.

    Raises:
        RunError: A file cannot be written.
    """
    texts = {
        "report.html": render_report(study, rows, folder),
        "results.csv": csv_text(study, rows),
        "results.json": json.dumps(as_dict(study, rows), indent=1),
        "results.md": "\n".join(summary_lines(study, rows)) + "\n",
    }
    try:
        for name, text in texts.items():
            partial = folder / f"{name}.partial"
            partial.write_text(text, encoding="utf-8")
            partial.replace(folder / name)
    except OSError as error:
        raise RunError(f"cannot write the report into {folder}: {error.strerror}") from None
    return [folder / name for name in texts]


def render_report(study: Study, rows: Sequence[Row], folder: Path) -> str:
    """Return the page as text."""
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("resnext", "studies"), PackageLoader("resnext", "evaluation")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = EngFormatter(places=2)
    environment.filters["spread"] = spread_text
    environment.filters["verdict"] = verdict
    environment.filters["word"] = word
    times = read_timing(folder)
    return environment.get_template("report.html.j2").render(
        study=study,
        version=resnext.__version__,
        summary=summarise_study(study, rows),
        figures=draw_figures(study, rows),
        times=times,
        time_plot=draw_time_figure(study, times),
        costs=_costs(study, rows),
        failed=[row for row in rows if row.state != "done" and row.attempts],
        machines=sorted({row.figures.machine for row in rows if row.figures}),
        precisions=sorted({row.figures.precision for row in rows if row.figures}),
        num_done=sum(row.state == "done" for row in rows),
        num_trials=len(rows),
    )


def _costs(study: Study, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the cost of each design as it was trained, and how many trials are done."""
    found = []
    for design in study.designs:
        mine = [row for row in rows if row.design.label == design.label]
        figures = next((row.figures for row in mine if row.figures), None)
        found.append(
            {
                "label": design.label,
                "network": name_of(design.model),
                "figures": figures,
                "done": sum(row.state == "done" for row in mine),
                "trials": len(mine),
            }
        )
    return found
