"""The plots of a study. Each function returns a matplotlib figure for a page or a paper.

Series differ by colour, marker and line style, so that they remain distinct in print.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from resnext.drawing import new_axes, plain_label
from resnext.studies.analysis.design_time import DesignTime
from resnext.studies.analysis.statistics import Mean
from resnext.tasks.measure import Measure as Metric

_T = TypeVar("_T")


class _Style(NamedTuple):
    color: str
    marker: str
    line: str


_STYLES = (
    _Style("#0072b2", "o", "-"),
    _Style("#d55e00", "s", "--"),
    _Style("#009e73", "^", "-."),
    _Style("#cc79a7", "D", ":"),
    _Style("#e69f00", "P", "--"),
    _Style("#000000", "v", "-"),
)
"""Colours that are distinct with any kind of colour vision (Okabe and Ito, 2008)."""
_MAX_NAMED = 12
_MAX_NAME_LENGTH = 60
_TWO_COLUMNS = 28
_LINE_OF_LIST = 26

# x, mean, and spread: None where one seed shows none
Point = tuple[float, float, float | None]


def axis_of(metric: Metric) -> str:
    """Return the label of a measure's axis."""
    return f"{metric.label}, {metric.unit}".rstrip(", ")


def draw_errors(series: Mapping[str, Sequence[Point]], x_label: str, y_label: str) -> Figure:
    """Draw mean errors or other results with their spread against a quantity on a log scale.

    Args:
        series: Points of each series, in increasing x. Points of a series without a name are not
            joined by a line.
        x_label: Label of the x axis.
        y_label: Label of the y axis.
    """
    figure, axes = new_axes(x_label, y_label)
    for (name, points), style in _styled(series):
        x, mean, spread = zip(*points, strict=True)
        axes.errorbar(
            x,
            mean,
            yerr=[value or math.nan for value in spread],
            color=style.color,
            marker=style.marker,
            linestyle=style.line if name else "",
            capsize=3,
            label=_text(name),
        )
    _log_ticks(axes, [x for points in series.values() for x, _, _ in points])
    _add_legend(figure, axes, series)
    return figure


def draw_list(means: Sequence[Mean], label: str) -> Figure:
    """Draw mean results with their spread as a list, in the given order."""
    figure, axes = new_axes(label, "")
    width, height = figure.get_size_inches()
    positions = range(len(means))
    axes.errorbar(
        [mean.mean for mean in means],
        positions,
        xerr=[mean.deviation or math.nan for mean in means],
        color=_STYLES[0].color,
        marker=_STYLES[0].marker,
        linestyle="",
        capsize=3,
    )
    labels = [textwrap.fill(_text(mean.label), _LINE_OF_LIST) for mean in means]
    axes.set_yticks(positions, labels)
    axes.set_ylim(len(means) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    lines = sum(1.5 + label.count("\n") for label in labels)
    figure.set_size_inches(width, max(0.4 * height, 0.3 * height + 0.15 * lines))
    return figure


def draw_curves(
    training: Mapping[str, Sequence[float]],
    validation: Mapping[str, Sequence[float]],
    y_label: str,
) -> Figure:
    """Draw the results of designs against epochs.

    Args:
        training: Mean training result of each design after each epoch (dashed); may be empty.
        validation: The same for the validation images (solid).
        y_label: Label of the y axis.
    """
    figure, axes = new_axes("epoch", y_label)
    for (name, values), style in _styled(validation):
        every = max(1, len(values) // 8)
        for curve, line in ((values, "-"), (training.get(name, ()), "--")):
            axes.plot(
                range(1, len(curve) + 1),
                curve,
                color=style.color,
                linestyle=line,
                marker=style.marker,
                markersize=5 if line == "-" else 3,
                markevery=every,
                label=_text(name) if line == "-" else None,
            )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _leave_out_the_start(axes, [*training.values(), *validation.values()])
    lines = "solid: validation; dashed: training" if training else "validation"
    _add_legend(figure, axes, validation, lines)
    return figure


def draw_times(series: Mapping[str, Sequence[tuple[int, DesignTime]]]) -> Figure:
    """Draw step time and latency against cardinality, relative to the first of each series.

    Args:
        series: Cardinality and time of each design of a family. Error bars span the lower to the
            upper quartile.
    """
    figure, axes = new_axes("cardinality", "time, relative to the first")
    lines: dict[str, Sequence[tuple[int, tuple[float, float, float]]]] = {}
    for name, points in series.items():
        start = f"{name}: " if len(series) > 1 else ""
        lines[f"{start}training step"] = [
            (x, (t.step_ms, t.step_ms_low, t.step_ms_high)) for x, t in points
        ]
        lines[f"{start}inference of one image"] = [
            (x, (t.latency_ms, t.latency_ms_low, t.latency_ms_high)) for x, t in points
        ]
    for (name, values), style in _styled(lines):
        ordered = sorted(values)
        unit = ordered[0][1][0]
        x = [cardinality for cardinality, _ in ordered]
        middle, low, high = ([time[index] / unit for _, time in ordered] for index in range(3))
        below = [m - value for m, value in zip(middle, low, strict=True)]
        above = [value - m for m, value in zip(middle, high, strict=True)]
        axes.errorbar(
            x,
            middle,
            yerr=(below, above),
            color=style.color,
            marker=style.marker,
            linestyle=style.line,
            capsize=3,
            label=_text(name),
        )
    _log_ticks(axes, [x for points in series.values() for x, _ in points])
    axes.set_ylim(bottom=0)
    _add_legend(figure, axes, lines)
    return figure


def draw_distribution(groups: Mapping[str, Sequence[float]], x_label: str) -> Figure:
    """Draw the empirical distribution function of the results of each group of designs."""
    figure, axes = new_axes(x_label, "share of designs")
    names = {f"{name} (n = {len(errors)})": errors for name, errors in groups.items()}
    for (name, errors), style in _styled(names):
        axes.ecdf(errors, color=style.color, linestyle=style.line, label=_text(name))
    axes.set_ylim(0, 1.02)
    _add_legend(figure, axes, names, always=True)
    return figure


def draw_scatter(
    groups: Mapping[str, Sequence[tuple[float, float]]], x_label: str, y_label: str
) -> Figure:
    """Draw one point per design: a property, on a log scale, and its result."""
    figure, axes = new_axes(x_label, y_label)
    for (name, points), style in _styled(groups):
        x, y = zip(*points, strict=True)
        axes.plot(
            x, y, style.marker, color=style.color, alpha=0.75, markersize=5, label=_text(name)
        )
    _log_ticks(axes, [x for points in groups.values() for x, _ in points])
    _add_legend(figure, axes, groups)
    return figure


def _styled(series: Mapping[str, _T]) -> Iterator[tuple[tuple[str, _T], _Style]]:
    return zip(series.items(), cycle(_STYLES), strict=False)


def _text(name: str) -> str:
    """Escape a user-chosen name so that matplotlib draws it literally."""
    short = name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"
    return plain_label(short)


def _add_legend(
    figure: Figure,
    axes: Axes,
    series: Mapping[str, object],
    title: str | None = None,
    *,
    always: bool = False,
) -> None:
    """Add a legend below the plot, with as many entries as fit."""
    named = [name for name in series if name]
    if not (always or title or len(named) > 1) or len(named) > _MAX_NAMED:
        return
    is_short = max(map(len, named)) <= _TWO_COLUMNS
    handles, labels = axes.get_legend_handles_labels()
    kept = [(handle, label) for handle, label in zip(handles, labels, strict=True) if label]
    figure.legend(
        *zip(*kept, strict=True),
        loc="outside lower center",
        ncols=2 if is_short and len(named) > 1 else 1,
        frameon=False,
        title=title,
        fontsize="small",
        title_fontsize="small",
    )
    # The diagram keeps its height
    width, height = figure.get_size_inches()
    lines = math.ceil(len(named) / (2 if is_short else 1)) + (title is not None)
    figure.set_size_inches(width, height + 0.19 * lines)


def _leave_out_the_start(axes: Axes, curves: Sequence[Sequence[float]]) -> None:
    """Set the error axis to the range after the first fifth of training."""
    later = [value for curve in curves for value in curve[len(curve) // 5 :]]
    low, high = min(later), max(later)
    margin = 0.05 * max(high - low, 0.1)
    axes.set_ylim(max(0.0, low - margin), high + margin)


def _log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Use a log scale for x, and label as many points as fit."""
    ordered = sorted(set(values))
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    room = (ordered[-1] / ordered[0]) ** (1 / 6)  # at most seven labels
    shown = ordered[:1]
    for value in ordered[1:]:
        if value / shown[-1] >= max(room, 1.02) * 0.999:
            shown.append(value)
    axes.set_xticks(shown)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))


def _short(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"
