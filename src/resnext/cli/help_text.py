"""Wraps the description in a verb's `--help`: tyro wraps the options only."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

_BOX = "╭"  # begins the first group of options


class _Collector(io.StringIO):
    """Collects what is printed, with the colours and characters of the stream it is for."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()


@contextlib.contextmanager
def wrapped_description() -> Iterator[None]:
    """Wrap the description of a help text that the block prints, to the terminal's width."""
    collector = _Collector(sys.stdout)
    try:
        with contextlib.redirect_stdout(collector):
            yield
    finally:
        if text := collector.getvalue():
            description, box, options = text.partition(_BOX)
            width = shutil.get_terminal_size().columns - 1
            print(wrapped(description, width) + box + options, end="")  # also if stdout is closed


def wrapped(text: str, width: int) -> str:
    """Wrap the paragraphs of a text; the usage and indented lines, such as examples, stay.

    Args:
        text: The text; blank lines separate paragraphs.
        width: The longest line.
    """
    lines: list[str] = []
    for is_paragraph, group in groupby(text.split("\n"), _is_prose):
        if is_paragraph:
            one = " ".join(line.strip() for line in group)
            lines += textwrap.wrap(one, width, break_long_words=False, break_on_hyphens=False)
        else:
            lines += group
    return "\n".join(lines)


def _is_prose(line: str) -> bool:
    return bool(line[:1].strip()) and not line.startswith("usage:") and "\x1b" not in line
