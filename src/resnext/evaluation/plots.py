"""The plots of a training, for its report and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resnext.drawing import BLUE, GREY, ORANGE, new_axes
from resnext.tasks.kinds import TaskKind, task_kind

Rows = Sequence[dict[str, Any]]


def draw_training(rows: Rows, task: str) -> dict[str, Figure]:
    """Draw a training: `losses`, `measures`, and `lr` if steps were logged.

    Args:
        rows: The lines of its log.
        task: Name of its task.

    Returns:
        The figures by name; none if no epoch has ended.
    """
    epochs = [row for row in rows if row["kind"] == "epoch"]
    steps = [row for row in rows if row["kind"] == "train"]
    if not epochs:
        return {}
    figures = {"losses": draw_losses(epochs), "measures": draw_figures(epochs, task_kind(task))}
    steps_per_epoch = epochs[-1]["step"] / epochs[-1]["epoch"]
    if steps and steps_per_epoch:
        figures["lr"] = draw_learning_rate(steps, steps_per_epoch)
    return figures


def draw_losses(epochs: Rows) -> Figure:
    """Draw the loss in training and validation over the epochs."""
    figure, axes = _epoch_axes("loss")
    _line(axes, epochs, "train_loss", "training", GREY)
    _line(axes, epochs, "loss", "validation", BLUE)
    axes.legend(frameon=False)
    return figure


def draw_figures(epochs: Rows, kind: TaskKind) -> Figure:
    """Draw the task's figures over the epochs; in training, that of the images as they varied."""
    figure, axes = _epoch_axes(kind.axis)
    colors = (BLUE, ORANGE, GREY) if kind.curves[0][0] == kind.measure.key else (GREY, BLUE, ORANGE)
    for (key, label), color in zip(kind.curves, colors, strict=False):
        if any(row.get(key) is not None for row in epochs):
            _line(axes, epochs, key, label, color)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def draw_learning_rate(steps: Rows, steps_per_epoch: float) -> Figure:
    """Draw the learning rate of the logged steps over the epochs.

    Args:
        steps: Lines of the log of kind `train`.
        steps_per_epoch: Optimiser steps of one epoch.
    """
    figure, axes = _epoch_axes("learning rate")
    axes.plot([row["step"] / steps_per_epoch for row in steps], _values(steps, "lr"), color=BLUE)
    axes.set_ylim(bottom=0)
    return figure


def _line(axes: Axes, rows: Rows, key: str, label: str, color: str) -> None:
    marker = "o" if len(rows) == 1 else None  # one point makes no line
    axes.plot(_values(rows, "epoch"), _values(rows, key), color=color, label=label, marker=marker)


def _values(rows: Rows, key: str) -> list[float]:
    return [float("nan") if row.get(key) is None else float(row[key]) for row in rows]


def _epoch_axes(label: str) -> tuple[Figure, Axes]:
    figure, axes = new_axes("epoch", label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes
