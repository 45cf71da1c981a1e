"""A map of cardinality as rows, a table and a plot."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnext._version import __version__
from resnext.benchmark.cardinality_map import FREE, CardinalityMap, MapRow
from resnext.drawing import clean
from resnext.files import write_whole
from resnext.untrusted.text import csv_table

_KINDS = {"train": "training step", "infer": "inference"}
_IN_WORDS = {"train": "a training step", "infer": "an inference"}
_STYLES = {"channels_last": ("#1f5fa8", "o-"), "contiguous": ("#d9730d", "s--")}


def row_of(row: MapRow) -> dict[str, Any]:
    """Return the measurements of a network by name."""
    values: dict[str, Any] = {
        "cardinality": row.cardinality,
        "group_width": row.group_width,
        "layout": row.layout,
        "macs": row.macs,
    }
    for kind in _KINDS:
        ratio = getattr(row, f"{kind}_ratio")
        middle, low, high = getattr(row, f"{kind}_ms")
        values |= {f"{kind}_ms": middle, f"{kind}_low_ms": low, f"{kind}_high_ms": high}
        values |= {f"{kind}_ratio": ratio.median, f"{kind}_ratio_low": ratio.low}
        values |= {f"{kind}_ratio_high": ratio.high}
    return values


def as_json(found: CardinalityMap) -> str:
    """Return all measurements, the settings, the machine and a GPU's clocks."""
    values = {
        "machine": found.machine,
        "versions": f"resnext {__version__}, {found.versions}",
        "setup": asdict(found.setup),
        "clocks": found.clocks,
        "free": {kind: found.free(kind) for kind in _KINDS},
        "rows": [row_of(row) for row in found.rows],
    }
    return json.dumps(values, indent=2)


def as_csv(found: CardinalityMap) -> str:
    """Return one line per network and layout."""
    return csv_table([row_of(row) for row in found.rows])


def answer(found: CardinalityMap) -> list[str]:
    """Describe in one sentence each the time cost of cardinality in training and in inference."""
    lines = []
    for kind, words in _IN_WORDS.items():
        best = found.best(kind)
        free = [f"C = {number}" for number in found.free(kind)]
        worst = max(best, key=lambda number: best[number].median)
        most = f"; C = {worst} costs most, {best[worst].median:.2f} times C = 1"
        which = ", ".join(free) if free else "none"
        lines.append(f"free in {words} (at most {FREE:g} times C = 1): {which}{most}")
        doubtful = [
            f"C = {number}"
            for number, ratio in best.items()
            if number > 1 and ratio.low <= FREE < ratio.high
        ]
        if doubtful:
            lines.append(
                f"the interval of {', '.join(doubtful)} includes {FREE:g}; use more --rounds or "
                "an idle machine to narrow it"
            )
    return lines


def draw_map(found: CardinalityMap, path: Path) -> None:
    """Plot time relative to cardinality 1 against group width.

    Args:
        found: The measurements.
        path: The file; its suffix determines the format.
    """
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    top = max(max(row.train_ratio.high, row.infer_ratio.high) for row in found.rows)
    for axes, (kind, words) in zip(panels, _KINDS.items(), strict=True):
        for layout, (color, style) in _STYLES.items():
            _draw_line(axes, [r for r in found.rows if r.layout == layout], kind, color, style)
        axes.axhline(1.0, color="#6b6b6b", linewidth=0.8)
        axes.set(title=words, xlabel="width of a group in the first stage, d (C above)")
        axes.set_xscale("log", base=2)
        axes.set_ylim(0, 1.05 * top)
        clean(axes)
        _label_widths(axes, found)
    panels[0].set_ylabel("time relative to cardinality 1")
    panels[0].legend(frameon=False, loc="lower right")
    setup = found.setup
    figure.suptitle(
        f"equal multiply-adds ({setup.base}), {setup.precision}, batch {setup.batch}: "
        f"{found.machine}",
        fontsize=9,
    )
    file = io.BytesIO()
    figure.savefig(file, format=path.suffix[1:].lower(), dpi=160)
    write_whole(path, file.getvalue())


def _draw_line(axes: Axes, rows: list[MapRow], kind: str, color: str, style: str) -> None:
    widths = [row.group_width for row in rows]
    ratios = [getattr(row, f"{kind}_ratio") for row in rows]
    middles = [ratio.median for ratio in ratios]
    spread = (
        [ratio.median - ratio.low for ratio in ratios],
        [ratio.high - ratio.median for ratio in ratios],
    )
    label = rows[0].layout if rows else None
    axes.errorbar(
        widths, middles, yerr=spread, fmt=style, color=color, label=label, capsize=2, markersize=4
    )


def _label_widths(axes: Axes, found: CardinalityMap) -> None:
    """Label the widths below the axis and the cardinalities above it."""
    points = sorted({(row.group_width, row.cardinality) for row in found.rows})
    widths = [width for width, _ in points]
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    top = axes.secondary_xaxis("top")
    top.set_xticks(widths, [str(number) for _, number in points])
    top.minorticks_off()
