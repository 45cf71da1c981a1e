"""The style of all plots, and their embedding in pages."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnext.untrusted.text import printable

BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#9a9a9a"

_SIZE_IN: ContextVar[tuple[float, float]] = ContextVar("size_in", default=(4.8, 3.1))
_COLUMN_IN = (3.35, 2.3)
"""Width of a column of a two-column paper, which the font sizes are for."""

_PAPER: dict[Any, Any] = {  # the type of the keys is the list of all of them
    "font.size": 8,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # TrueType: publishers refuse the default, Type 3
    "svg.fonttype": "path",  # looks alike where the font is not installed
    "svg.hashsalt": "resnext",  # the same figure gives the same file
}


def new_axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """Return a figure with one empty set of axes."""
    figure = Figure(figsize=_SIZE_IN.get(), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label)
    clean(axes)
    return figure, axes


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save figures at column width, with embedded fonts."""
    token = _SIZE_IN.set(_COLUMN_IN)
    try:
        with matplotlib.rc_context(_PAPER):
            yield
    finally:
        _SIZE_IN.reset(token)


def clean(axes: Axes) -> None:
    """Draw a light grid and remove the top and right spines."""
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def as_svg(figure: Figure) -> str:
    """Return a figure as a `data:` URL."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return data_address(file.getvalue(), "image/svg+xml")


def as_png(figure: Figure) -> str:
    """Return a figure as a `data:` URL, as pixels."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=160)
    return data_address(file.getvalue(), "image/png")


def plain_label(text: str) -> str:
    """Escape text so that matplotlib draws it literally, including in legends."""
    plain = printable(text).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


def data_address(content: bytes, media_type: str) -> str:
    """Return a file as a `data:` URL, so that a page is self-contained."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
