"""Standard output and standard error that cannot be used to control a terminal."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO, cast

from resnext.untrusted.text import printable_lines


class PrintableStream:
    """A text stream that shows control characters instead of sending them.

    Attributes:
        raw: The underlying stream.
    """

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        """Write text with terminal control characters escaped."""
        self.raw.write(printable_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several strings."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextmanager
def printable_streams() -> Iterator[None]:
    """Wrap standard output and standard error in `PrintableStream`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", PrintableStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def print_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a traceback whose message may contain untrusted text; a `sys.excepthook`."""
    print(printable_lines("".join(traceback.format_exception(kind, error, trace))), file=sys.stderr)


@contextmanager
def raw_streams() -> Iterator[None]:
    """Allow our own colours and control sequences inside `printable_streams`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (getattr(stream, "raw", stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
