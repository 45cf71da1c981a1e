"""SVG shapes for the drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

TIMES = "\u00d7"
"""The sign between kernel sides and in front of a number of blocks."""

_ARROW = (
    '<defs><marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
    'markerHeight="6" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" class="tip"/>'
    "</marker></defs>"
)


@dataclass
class Drawing:
    """Collects shapes and writes them as one SVG image.

    Attributes:
        width: Width of the image.
        height: Height of the image.
        label: Description for screen readers.
        name: Id of its arrow marker; unique on the page.
    """

    width: float
    height: float
    label: str
    name: str
    _parts: list[str] = field(default_factory=list)

    def box(
        self, x: float, y: float, width: float, height: float, text: str, kind: str = "box"
    ) -> None:
        """Draw a rectangle around (x, y) with a line of text in it."""
        self._parts.append(
            f'<rect class="{kind}" x="{x - width / 2:g}" y="{y - height / 2:g}" '
            f'width="{width:g}" height="{height:g}" rx="3"/>'
        )
        self.text(x, y, text)

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> None:
        """Write a line of text, vertically centred at y."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" dominant-baseline="central"'
            f"{f' class={kind!r}' if kind else ''}>{escape(text)}</text>"
        )

    def arrow(self, *points: Sequence[float]) -> None:
        """Draw a line through points with an arrowhead at the last one."""
        self.line(*points, end=f' marker-end="url(#{self.name})"')

    def line(self, *points: Sequence[float], end: str = "") -> None:
        """Draw a line through points; `end` holds SVG attributes for its end."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polyline class="line" points="{path}"{end}/>')

    def plus(self, x: float, y: float) -> None:
        """Draw a circle with a plus sign."""
        self._parts.append(f'<circle class="sum" cx="{x:g}" cy="{y:g}" r="9"/>')
        self.text(x, y, "+")

    def as_svg(self) -> str:
        """Return the SVG; it shrinks to fit its column."""
        return (
            f'<svg class="drawing" role="img" aria-label="{escape(self.label)}" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" '
            f'style="max-width:{self.width:g}px" xmlns="http://www.w3.org/2000/svg">'
            f"{_ARROW.format(name=self.name)}{''.join(self._parts)}</svg>"
        )
