"""Logs as lines of JSON, on standard output, for whatever collects them."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any

MAX_REPEATS = 10
WINDOW_S = 10.0
_DEAF = ("PIL", "python_multipart")  # they tell of a caller's bytes, which are judged elsewhere


class JsonLines(logging.Formatter):
    """Writes each log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if left_out := getattr(record, "num_left_out", 0):
            line["left_out"] = left_out
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Throttle(logging.Filter):
    """Lets through a warning or error 10 times in 10 s, and counts those it left out.

    What differs in its arguments only counts as the same. The lines of requests always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing counted.

        Args:
            clock: Seconds.
        """
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record passes."""
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.pathname, record.lineno)
        start, count = self._windows.get(key, (-WINDOW_S, 0))
        if self._clock() - start >= WINDOW_S:
            record.__dict__["num_left_out"] = max(0, count - MAX_REPEATS)
            start, count = self._clock(), 0
        self._windows[key] = (start, count + 1)
        return count < MAX_REPEATS


class _Handler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Lose the line where it cannot be written: a full disk must not end the service."""


def log_to_stdout() -> None:
    """Send all logs and warnings of this process to standard output.

    They go there by a descriptor of their own, which stays when `only_json` redirects the rest.
    """
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    handler = _Handler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(Throttle())
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, _Handler)]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("resnext").setLevel(logging.INFO)
    for name in _DEAF:
        logging.getLogger(name).setLevel(logging.CRITICAL)
