"""Plots error or multiply-adds against latency, one panel per race."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnext.benchmark.contestant import Setting
from resnext.benchmark.result import Result
from resnext.drawing import clean, plain_label
from resnext.errors import ConfigError
from resnext.files import write_whole

SUFFIXES = (".svg", ".png", ".pdf")
_COLORS = (
    *("#1f5fa8", "#d9730d", "#3a8f4d", "#b0303a", "#7a4fa3"),
    *("#8a6d3b", "#2a9d9d", "#c45a9a", "#6b6b6b"),
)


def check_plot_file(path: Path) -> None:
    """Check before the measurement that the plot can be written.

    Raises:
        ConfigError: The suffix is not supported.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--plot {path}: the file name must end in {', '.join(SUFFIXES)}")


def draw(results: Sequence[Result], path: Path) -> None:
    """Plot the measurements.

    The y axis is the error if known for all networks, otherwise the multiply-adds.

    Args:
        results: Contestants; those without measurements are left out.
        path: The file; its suffix determines the format.
    """
    measured = [result for result in results if result.figures is not None]
    settings = list(dict.fromkeys(result.setting for result in results))
    runtimes = list(dict.fromkeys(result.runtime for result in measured))
    figure = Figure(figsize=(1.5 + 4.2 * len(settings), 4.0), layout="constrained")
    panels = figure.subplots(1, len(settings), sharey=True, squeeze=False)[0]
    has_errors = all(result.network.top1_error is not None for result in measured)
    top = 1.15 * max((_height(r, has_errors=has_errors) for r in measured), default=1.0)
    for axes, setting in zip(panels, settings, strict=True):
        for runtime, color in zip(runtimes, _cycled(len(runtimes)), strict=True):
            points = [r for r in measured if (r.setting, r.runtime) == (setting, runtime)]
            _draw_points(axes, points, runtime, color, has_errors=has_errors)
        _label_networks(axes, measured, setting, has_errors=has_errors)
        axes.set(
            title=f"batch {setting.batch}, {setting.threads} thread(s)",
            xlabel="latency of a batch, ms (quartiles)",
        )
        axes.set_xlim(left=0)
        axes.set_ylim(0, top)
        clean(axes)
    panels[0].set_ylabel("top-1 error, %" if has_errors else "multiply-adds of an image, 10^9")
    if measured:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format=path.suffix[1:].lower(), dpi=160)
    write_whole(path, file.getvalue())


def _draw_points(
    axes: Axes, points: Sequence[Result], runtime: str, color: str, *, has_errors: bool
) -> None:
    found = [(result, result.figures) for result in points if result.figures is not None]
    middles = [figures.latency_ms for _, figures in found]
    below = [figures.latency_ms - figures.low_ms for _, figures in found]
    above = [figures.high_ms - figures.latency_ms for _, figures in found]
    heights = [_height(result, has_errors=has_errors) for result, _ in found]
    axes.errorbar(
        middles, heights, xerr=(below, above), fmt="o", color=color, label=runtime, capsize=2
    )


def _label_networks(
    axes: Axes, measured: Sequence[Result], setting: Setting, *, has_errors: bool
) -> None:
    """Label each network above its fastest point; networks at the same height share a label."""
    fastest: dict[str, tuple[float, float]] = {}
    for result in measured:
        if result.setting == setting and result.figures is not None:
            point = (result.figures.latency_ms, _height(result, has_errors=has_errors))
            label = result.network.label
            fastest[label] = min(point, fastest.get(label, point))
    levels: dict[float, list[str]] = {}
    for label, (_, height) in fastest.items():
        levels.setdefault(height, []).append(label)
    for height, labels in levels.items():
        left = min(fastest[label][0] for label in labels)
        text = plain_label(", ".join(label.rpartition("/")[2] for label in labels))
        axes.annotate(text, (left, height), xytext=(-3, 7), textcoords="offset points", fontsize=8)


def _height(result: Result, *, has_errors: bool) -> float:
    error = result.network.top1_error
    return error if has_errors and error is not None else result.network.macs / 1e9


def _cycled(number: int) -> list[str]:
    return [_COLORS[index % len(_COLORS)] for index in range(number)]
