"""How every plot of the project looks, and how it gets into a page."""

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
"""Width of a column of a two-column paper, which the text below is sized for."""

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
    """Return a figure with one empty diagram."""
    figure = Figure(figsize=_SIZE_IN.get(), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label)
    clean(axes)
    return figure, axes


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save figures at the width of a column, with fonts that are embedded."""
    token = _SIZE_IN.set(_COLUMN_IN)
    try:
        with matplotlib.rc_context(_PAPER):
            yield
    finally:
        _SIZE_IN.reset(token)


def clean(axes: Axes) -> None:
    """Draw a light grid and leave out the frame above and to the right."""
    axes.grid(color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def as_svg(figure: Figure) -> str:
    """Return a figure as the text of a `data:` address."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return data_address(file.getvalue(), "image/svg+xml")


def as_png(figure: Figure) -> str:
    """Return a figure as the text of a `data:` address, as pixels."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=160)
    return data_address(file.getvalue(), "image/png")


def plain_label(text: str) -> str:
    """Return text that matplotlib draws as it stands: no formula, and not left out of a legend."""
    plain = printable(text).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


def data_address(content: bytes, media_type: str) -> str:
    """Return a file as an address that holds it, so that a page needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
