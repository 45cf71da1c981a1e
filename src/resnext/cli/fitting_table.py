"""Tables that fit the terminal: exact counts if there is room, otherwise three digits."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from resnext.complexity.table import short
from resnext.terminal import create_console

_PIPE_WIDTH = 160  # a file or a pipe has room for whole lines
_ANY_WIDTH = 10_000


def open_console(*, soft_wrap: bool = False) -> Console:
    """Return the console for tables; their labels may be untrusted.

    Args:
        soft_wrap: Let the terminal wrap long lines, so that they can be copied.
    """
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return create_console(width=width, soft_wrap=soft_wrap)


def print_fitting(console: Console, build: Callable[[bool], Table]) -> None:
    """Print a table in full, or a narrower form if it does not fit.

    Args:
        console: The console.
        build: Builds the table, full or narrow.
    """
    full = build(True)
    options = console.options.update(max_width=_ANY_WIDTH)
    has_room = Measurement.get(console, options, full).maximum <= console.width
    console.print(full if has_room else build(False), soft_wrap=False)


def count_text(count: int, *, is_full: bool) -> str:
    """Format a count exactly, or with three digits and a unit."""
    return f"{count:,}" if is_full else short(count).strip()
