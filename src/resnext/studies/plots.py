"""The plots of a study. Each returns an image as the text of a `data:` address.

Series differ by colour, marker and line style, so that they can be told apart in print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from resnext.evaluation.drawing import BLUE, GREY, ORANGE, as_svg, new_axes
from resnext.studies.timing import DesignTime

_STYLES = (
    (BLUE, "o", "-"),
    (ORANGE, "s", "--"),
    ("#3f8f5b", "^", "-."),
    ("#8c4fa3", "D", ":"),
    (GREY, "v", "-"),
    ("#b23a48", "P", "--"),
)

# x, mean, spread (0 where there is none)
Points = Sequence[tuple[float, float, float]]


def draw_errors(
    series: Mapping[str, Points], x_label: str, *, y_label: str = "top-1 error, %"
) -> str:
    """Draw mean errors with their spread against something that doubles.

    Args:
        series: Points of each series, in rising x.
        x_label: What x is.
        y_label: What y is.
    """
    figure, axes = new_axes(x_label, y_label)
    for (name, points), (color, marker, line) in zip(series.items(), cycle(_STYLES), strict=False):
        x, mean, spread = zip(*points, strict=True)
        axes.errorbar(
            x, mean, yerr=spread, color=color, marker=marker, linestyle=line, capsize=3, label=name
        )
    _log_ticks(axes, sorted({x for points in series.values() for x, _, _ in points}))
    if len(series) > 1:
        axes.legend(frameon=False)
    return as_svg(figure)


def draw_curves(
    training: Mapping[str, Sequence[float]], validation: Mapping[str, Sequence[float]]
) -> str:
    """Draw the errors of designs over the epochs, as the paper's figure 5.

    Args:
        training: Mean error of each design after each epoch on the training images: dashed.
        validation: The same on the validation images: solid.
    """
    figure, axes = new_axes("epoch", "top-1 error, %")
    for (name, values), (color, marker, _) in zip(validation.items(), cycle(_STYLES), strict=False):
        epochs = range(1, len(values) + 1)
        every = max(1, len(values) // 8)
        axes.plot(epochs, values, color=color, marker=marker, markevery=every, label=name)
        if name in training:
            axes.plot(
                range(1, len(training[name]) + 1), training[name], color=color, linestyle="--"
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _leave_out_the_start(axes, [*training.values(), *validation.values()])
    axes.legend(frameon=False, title="solid: validation, dashed: training", title_fontsize="small")
    return as_svg(figure)


def _leave_out_the_start(axes: Axes, curves: Sequence[Sequence[float]]) -> None:
    """Limit the errors to those from the first fifth of training on."""
    later = [value for curve in curves for value in curve[len(curve) // 5 :]]
    low, high = min(later), max(later)
    margin = 0.05 * max(high - low, 0.1)
    axes.set_ylim(max(0.0, low - margin), high + margin)


def draw_times(times: Sequence[DesignTime], cardinality: Mapping[str, int]) -> str:
    """Draw step time and latency against cardinality, relative to the first design.

    Args:
        times: What was measured; bars reach from the lower to the upper quartile.
        cardinality: Of each label.
    """
    figure, axes = new_axes("cardinality", "time, relative to the first")
    rows = sorted(times, key=lambda row: cardinality[row.label])
    x = [cardinality[row.label] for row in rows]
    measures: dict[str, Callable[[DesignTime], tuple[float, float, float]]] = {
        "training step": lambda row: (row.step_ms, row.step_ms_low, row.step_ms_high),
        "inference of one image": lambda row: (
            row.latency_ms,
            row.latency_ms_low,
            row.latency_ms_high,
        ),
    }
    for (name, measure), (color, marker, line) in zip(measures.items(), _STYLES, strict=False):
        middle, low, high = np.array([measure(row) for row in rows]).T / measure(rows[0])[0]
        axes.errorbar(
            x,
            middle,
            yerr=(middle - low, high - middle),
            color=color,
            marker=marker,
            linestyle=line,
            capsize=3,
            label=name,
        )
    _log_ticks(axes, sorted(set(x)))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return as_svg(figure)


def draw_distribution(groups: Mapping[str, Sequence[float]]) -> str:
    """Draw, for each group of designs, the share that has an error below each value.

    Source: Radosavovic et al., arXiv 1905.13214, section 3.2 (the empirical distribution).
    """
    figure, axes = new_axes("top-1 error, %", "share of the designs")
    for (name, errors), (color, _, line) in zip(groups.items(), cycle(_STYLES), strict=False):
        axes.ecdf(errors, color=color, linestyle=line, label=f"{name} (n = {len(errors)})")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False)
    return as_svg(figure)


def draw_scatter(
    groups: Mapping[str, Sequence[tuple[float, float]]], x_label: str, *, is_log: bool
) -> str:
    """Draw one point a design: something of it, and its error."""
    figure, axes = new_axes(x_label, "top-1 error, %")
    for (name, points), (color, marker, _) in zip(groups.items(), cycle(_STYLES), strict=False):
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=color, marker=marker, linestyle="", label=name, alpha=0.8)
    if is_log:
        _log_ticks(axes, sorted({x for points in groups.values() for x, _ in points}))
    if len(groups) > 1:
        axes.legend(frameon=False)
    return as_svg(figure)


def _log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Scale x by factors and label the points that there are, as far as they have room."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    shown = [values[0]]
    for value in values[1:]:
        if value / shown[-1] > 1.35:
            shown.append(value)
    axes.set_xticks(shown)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"
