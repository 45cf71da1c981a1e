"""Terminal tables and progress bars that are safe with untrusted text.

Rich passes on escape sequences and interprets markup and emoji codes; class names, file names and
messages of libraries may contain any of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from resnext.untrusted.stream import PrintableStream
from resnext.untrusted.text import printable_lines


def create_console(
    *,
    file: IO[str] | None = None,
    stderr: bool = False,
    quiet: bool = False,
    width: int | None = None,
    soft_wrap: bool = False,
) -> Console:
    """Return a console for untrusted text.

    Args:
        file: Output stream; by default standard output.
        stderr: Print to standard error.
        quiet: Print nothing.
        width: Characters of a line; by default the terminal's.
        soft_wrap: Let the terminal wrap long lines, so that they can be copied.
    """
    stream = file if file is not None else (sys.stderr if stderr else sys.stdout)
    return _PlainConsole(
        file=stream.raw if isinstance(stream, PrintableStream) else stream,
        quiet=quiet,
        width=width,
        soft_wrap=soft_wrap,
        markup=False,
        emoji=False,
        highlight=False,
    )


def can_redraw() -> bool:
    """Tell whether standard error shows bars: on a terminal, and in a notebook with its widgets."""
    if sys.stderr.isatty():
        return True
    return create_console(stderr=True).is_jupyter and find_spec("ipywidgets") is not None


class _PlainConsole(Console):
    """Prints text literally: no markup, no emoji codes, no control characters."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Escape a text before it is measured, so that table columns fit."""
        return super().render_str(
            printable_lines(text), **(options | {"markup": False, "emoji": False})
        )

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Escape renderables that are not plain text."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable_lines(segment.text), segment.style)
