"""Plots the curves of a run: loss and error over the epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resnext.drawing import BLUE, GREY, ORANGE, clean
from resnext.runs.folder import read_config
from resnext.runs.metrics_log import read_metrics
from resnext.tasks.kinds import TaskKind, task_kind

_LOSSES = (("train_loss", "training", GREY), ("loss", "validation", BLUE))


def draw_curves(run: Path, picture: Path) -> bool:
    """Plot the curves of a run to a PNG file.

    Args:
        run: The run folder.
        picture: The file to write.

    Returns:
        False, and writes no file, if the run has no epochs.
    """
    epochs = [row for row in read_metrics(run) if row["kind"] == "epoch"]
    if not epochs:
        return False
    figure = Figure(figsize=(9.2, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, epochs, _LOSSES, "loss")
    kind = task_kind(read_config(run).task)
    _draw(right, epochs, _lines_of(kind), kind.axis)
    right.set_ylim(bottom=0)
    # Without the version of matplotlib the same run gives the same file.
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    return True


def _lines_of(kind: TaskKind) -> tuple[tuple[str, str, str], ...]:
    colors = (GREY, BLUE, ORANGE)
    return tuple((*line, color) for line, color in zip(kind.curves, colors, strict=False))


def _draw(
    axes: Axes, rows: list[dict[str, Any]], lines: tuple[tuple[str, str, str], ...], label: str
) -> None:
    marker = "o" if len(rows) == 1 else None  # one point draws no line
    for key, name, color in lines:
        values = [float("nan") if row.get(key) is None else float(row[key]) for row in rows]
        if any(row.get(key) is not None for row in rows):
            epochs = [row["epoch"] for row in rows]
            axes.plot(epochs, values, color=color, label=name, marker=marker)
    axes.set(xlabel="epoch", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    clean(axes)
