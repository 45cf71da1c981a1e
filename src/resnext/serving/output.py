"""Output of libraries as log lines.

Some libraries write directly to the descriptors of standard output and error, such as libtiff on a
damaged image. Between JSON lines, that would break the reader of the log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from resnext.untrusted.text import printable

MAX_LINE_CHARS = 500
_MAX_LINE_BYTES = 64 * 2**10
_OUT, _ERR = 1, 2

_LOG = logging.getLogger("resnext.output")


@contextlib.contextmanager
def only_json() -> Iterator[TextIO]:
    """Turn output to standard output and error within the block into log lines.

    Yields:
        The original standard error, for messages to people.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in (_OUT, _ERR)]
    reading, writing = os.pipe()
    for number in (_OUT, _ERR):
        os.dup2(writing, number)
    os.close(writing)
    thread = threading.Thread(target=_log_lines, args=(reading,), name="output", daemon=True)
    thread.start()
    try:
        with os.fdopen(os.dup(kept[1]), "w", encoding="utf-8", errors="replace") as people:
            yield people
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, before in zip((_OUT, _ERR), kept, strict=True):
            os.dup2(before, number)
            os.close(before)
        thread.join(1.0)  # longer if a child process holds the pipe; the thread is a daemon


def _log_lines(reading: int) -> None:
    """Log the output of a pipe until it is closed."""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        rest = b""
        while data := pipe.read(_MAX_LINE_BYTES):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _MAX_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                _log_line(line)
        _log_line(rest)


def _log_line(line: bytes) -> None:
    text = line.decode("utf-8", "replace").strip()
    if text:
        _LOG.warning("a library printed: %s", printable(text[:MAX_LINE_CHARS]))
