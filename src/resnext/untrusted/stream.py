"""Standard output and standard error that cannot be used to control a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from resnext.untrusted.text import printable_lines


class PrintableStream:
    """A text stream that shows control characters instead of sending them.

    Attributes:
        raw: The stream behind it.
    """

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        """Write text; what would act on a terminal is escaped."""
        self.raw.write(printable_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextmanager
def printable_streams() -> Iterator[None]:
    """Send what is printed to standard output and standard error through `PrintableStream`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", PrintableStream(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


@contextmanager
def raw_streams() -> Iterator[None]:
    """Print colours and other controls of our own inside `printable_streams`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (getattr(stream, "raw", stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
