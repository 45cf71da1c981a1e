"""The tab for comparing runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from resnext.errors import RunError
from resnext.page.design_view import error_box, told_box
from resnext.page.run_figures import read_run
from resnext.page.run_list import REPORT, RunList
from resnext.page.run_view import MAX_RUNS, show_report, show_runs


def build_runs_tab(root: Path | None) -> None:
    """Add the tab's controls, or a message that says why it has none."""
    if root is None:
        gr.HTML(
            told_box("No run folder is set. Set one with: resnext serve MODEL --runs FOLDER"),
            elem_classes="rx",
        )
        return
    runs = RunList(root)
    names = runs.names()
    with gr.Row():
        chosen = gr.Dropdown(
            names,
            value=names[:1],
            multiselect=True,
            max_choices=MAX_RUNS,
            label=_label(names),
            info="Type part of a name to find a run.",
            elem_id="runs",
            scale=4,
        )
        refresh = gr.Button("Refresh", elem_id="refresh", scale=1, min_width=120)
    view = gr.HTML(_compare(runs)(names[:1]), elem_classes="rx", elem_id="compared")
    gr.HTML("<h2>Report</h2>", elem_classes="rx")
    report_of = gr.Dropdown(names, value=None, label="Report of", elem_id="report-of")
    report = gr.HTML("", elem_classes="rx", elem_id="report")
    # The list may have changed since it was shown: the page reports this; gradio would fail.
    quiet: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "hidden",
        "preprocess": False,
    }
    last = {"trigger_mode": "always_last", **quiet}  # the last choice wins
    chosen.input(_compare(runs), chosen, view, **last)
    report_of.input(_report(runs), report_of, report, **last)
    refresh.click(_refresh(runs), [chosen, report_of], [chosen, report_of, view, report], **quiet)


def _label(names: list[str]) -> str:
    return f"Runs: {len(names)} found, up to {MAX_RUNS} compared"


def _compare(runs: RunList) -> Callable[[list[str] | None], str]:
    """Return the function that shows the chosen runs."""

    def compare(names: list[str] | None) -> str:
        if not runs.names():
            return told_box("There are no runs yet. Train a network, then press Refresh.")
        return show_runs([read_run(runs, name) for name in (names or [])[:MAX_RUNS]])

    return compare


def _report(runs: RunList) -> Callable[[str | None], str]:
    """Return the function that shows the report of a run."""

    def report(name: str | None) -> str:
        if not name:
            return ""
        if not runs.has(name, REPORT):
            return told_box(f"{name} has no report; create one with: resnext evaluate")
        try:
            return show_report(name, runs.read(name, REPORT))
        except RunError as error:
            return error_box(str(error))

    return report


def _refresh(runs: RunList) -> Callable[[list[str] | None, str | None], list[Any]]:
    """Return the function that refreshes the runs and keeps the selection if it still exists."""

    def refresh(chosen: list[str] | None, reported: str | None) -> list[Any]:
        names = runs.search()
        kept = [name for name in chosen or [] if name in names]
        report = reported if reported in names else None
        return [
            gr.Dropdown(choices=names, value=kept, label=_label(names)),
            gr.Dropdown(choices=names, value=report),
            _compare(runs)(kept),
            _report(runs)(report),
        ]

    return refresh
