"""The HTML of the runs tab: curves, metrics, differences, and reports in a sandboxed frame."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from html import escape

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resnext.drawing import as_svg, new_axes
from resnext.page.design_view import error_box
from resnext.page.run_figures import Row, RunFigures, differing_settings
from resnext.tasks.kinds import TaskKind
from resnext.tasks.measure import as_title
from resnext.untrusted.text import printable

# the colour-blind-safe palette of Okabe and Ito, without yellow
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f")
MAX_RUNS = len(_COLOURS)
_MAX_SETTINGS = 200

# A report may show its own images and styles, but not run code or load anything.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_drawing = threading.Lock()  # matplotlib's font cache is shared by all threads


def show_runs(runs: Sequence[RunFigures]) -> str:
    """Return the runs side by side."""
    if not runs:
        return '<p class="soft">Choose one or more runs.</p>'
    problems = "".join(error_box(text) for run in runs for text in run.problems)
    with_curves = [run for run in runs if run.epochs]
    plots = _plots(with_curves) if with_curves else '<p class="soft">No epoch has finished yet.</p>'
    return f"{problems}<h3>Curves</h3>{plots}<h3>Figures</h3>{_figures(runs)}{_settings(runs)}"


def show_report(name: str, report: str) -> str:
    """Return a run's report in a sandboxed frame.

    The frame may not run scripts or access this page, whatever the file contains.
    """
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    title = escape(printable(f"Report of {name}"))
    return f'<iframe sandbox="" title="{title}" srcdoc="{escape(policy + report)}"></iframe>'


def _plots(runs: Sequence[RunFigures]) -> str:
    names = ", ".join(run.name for run in runs)
    with _drawing:
        pictures = [
            ("Loss", as_svg(_curves(runs, "loss", "train_loss", "loss"))),
            *(
                (as_title(kind.measure.label), as_svg(_measures(runs, kind)))
                for kind in {run.kind.name: run.kind for run in runs}.values()
            ),
        ]
    figures = [
        f'<figure><img src="{address}" alt="{escape(f"{title} by epoch of {names}")}">'
        f"<figcaption>{title}; validation, and training dashed</figcaption></figure>"
        for title, address in pictures
    ]
    return f'<div class="plots">{"".join(figures)}</div>'


def _measures(runs: Sequence[RunFigures], kind: TaskKind) -> Figure:
    """Plot the measure of runs with the same task."""
    alike = [run for run in runs if run.kind == kind]
    training = kind.train_measure.key if kind.shares_axis else None
    return _curves(alike, kind.measure.key, training, kind.axis)


def _curves(runs: Sequence[RunFigures], key: str, training: str | None, label: str) -> Figure:
    figure, axes = new_axes("epoch", label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for run, colour in zip(runs, _COLOURS, strict=False):
        marker = "o" if len(run.epochs) == 1 else None  # one point draws no line
        epochs = [row["epoch"] for row in run.epochs]
        # matplotlib omits labels that start with an underscore
        name = f" {run.name}" if len(run.name) < 40 else f"…{run.name[-38:]}"
        axes.plot(
            epochs, _values(run, key), color=colour, marker=marker, label=name.replace("$", r"\$")
        )
        if training is not None:
            axes.plot(epochs, _values(run, training), color=colour, linestyle="--", linewidth=0.9)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize="small")
    return figure


def _values(run: RunFigures, key: str) -> list[float]:
    return [row.get(key, float("nan")) for row in run.epochs]


def _figures(runs: Sequence[RunFigures]) -> str:
    heads = ("run", "network", "epochs", "measure", "best", "in epoch", "evaluated", "last loss")
    rows = []
    for run in runs:
        best, last = run.best, run.epochs[-1] if run.epochs else Row()
        measure = run.kind.measure
        rows.append(
            [
                run.name,
                run.network,
                f"{last.get('epoch', 0):g}",
                measure.label,
                measure.write(best[measure.key]) if best else "",
                f"{best['epoch']:g}" if best else "",
                "" if run.evaluated is None else measure.write(run.evaluated),
                f"{last['loss']:.4f}" if "loss" in last else "",
            ]
        )
    return _table(heads, rows)


def _settings(runs: Sequence[RunFigures]) -> str:
    if len(runs) < 2:
        return ""
    differing = differing_settings(list(runs))
    rows = [[key, *values] for key, values in differing[:_MAX_SETTINGS]]
    if not rows:
        return "<h3>Settings</h3><p>All settings of these runs are the same.</p>"
    heads = ("setting", *(run.name for run in runs))
    num_more = len(differing) - len(rows)
    more = f'<p class="soft">{num_more:,} more settings differ.</p>' if num_more else ""
    return f"<h3>Settings that differ</h3>{_table(heads, rows)}{more}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        f"{''.join(f'<td>{escape(text)}</td>' for text in others)}</tr>"
        for first, *others in rows
    )
    return (
        '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
