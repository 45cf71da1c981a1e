"""The report's plots. Each function returns an image as the text of a `data:` address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resnext.drawing import BLUE, GREY, ORANGE, as_svg, new_axes
from resnext.tasks.kinds import TaskKind

Rows = Sequence[dict[str, Any]]


def draw_losses(epochs: Rows) -> str:
    """Draw the loss in training and validation over the epochs."""
    figure, axes = _epoch_axes("loss")
    _line(axes, epochs, "train_loss", "training", GREY)
    _line(axes, epochs, "loss", "validation", BLUE)
    axes.legend(frameon=False)
    return as_svg(figure)


def draw_figures(epochs: Rows, kind: TaskKind) -> str:
    """Draw the task's figures over the epochs; in training, that of the images as they varied."""
    figure, axes = _epoch_axes(kind.axis)
    for (key, label), color in zip(kind.curves, (GREY, BLUE, ORANGE), strict=False):
        if any(row.get(key) is not None for row in epochs):
            _line(axes, epochs, key, label, color)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return as_svg(figure)


def draw_learning_rate(steps: Rows, steps_per_epoch: float) -> str:
    """Draw the learning rate of the logged steps over the epochs.

    Args:
        steps: Lines of the log of kind `train`.
        steps_per_epoch: Optimiser steps of one epoch.
    """
    figure, axes = _epoch_axes("learning rate")
    axes.plot([row["step"] / steps_per_epoch for row in steps], _values(steps, "lr"), color=BLUE)
    axes.set_ylim(bottom=0)
    return as_svg(figure)


def _line(axes: Axes, rows: Rows, key: str, label: str, color: str) -> None:
    marker = "o" if len(rows) == 1 else None  # one point makes no line
    axes.plot(_values(rows, "epoch"), _values(rows, key), color=color, label=label, marker=marker)


def _values(rows: Rows, key: str) -> list[float]:
    return [float("nan") if row.get(key) is None else float(row[key]) for row in rows]


def _epoch_axes(label: str) -> tuple[Figure, Axes]:
    figure, axes = new_axes("epoch", label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes
