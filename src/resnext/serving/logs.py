"""Logs as JSON lines on standard output, for log collectors."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

MAX_REPEATS = 10
WINDOW_S = 10.0
MAX_QUEUED = 10_000
_FLUSH_S = 1.0
_DEAF = ("PIL", "python_multipart")  # they log about callers' bytes, which are checked elsewhere


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
    """Passes each warning or error at most 10 times in 10 s, and counts the rest.

    Records that differ only in their arguments count as the same. Request lines always pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with all counts at zero.

        Args:
            clock: Time in seconds.
        """
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record passes."""
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.pathname, record.lineno)
        start, count = self._windows.get(key, (-WINDOW_S, 0))
        if self._clock() - start >= WINDOW_S:
            record.__dict__["num_left_out"] = max(0, count - MAX_REPEATS)
            start, count = self._clock(), 0
        self._windows[key] = (start, count + 1)
        return count < MAX_REPEATS


class LineWriter(logging.Handler):
    """Writes lines in a separate thread, so that logging never waits for the reader of the log.

    Lines are lost if 10,000 are waiting, or if the disk is full.
    """

    def __init__(self, descriptor: int) -> None:
        """Start the thread.

        Args:
            descriptor: The file descriptor to write to.
        """
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue(MAX_QUEUED)
        self._descriptor = descriptor
        threading.Thread(target=self._write_for_ever, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record))

    def flush(self) -> None:
        """Wait until all lines are written, for at most a second."""
        end = time.monotonic() + _FLUSH_S
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.002)

    def _write_for_ever(self) -> None:
        while True:
            data = memoryview(f"{self._lines.get()}\n".encode())
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(self._descriptor, data) :]
            self._lines.task_done()


def log_to_stdout() -> None:
    """Send all logs and warnings of this process to standard output.

    They use a separate descriptor, which stays when `only_json` redirects other output.
    """
    handler = LineWriter(os.dup(1))
    handler.setFormatter(JsonLines())
    handler.addFilter(Throttle())
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, LineWriter)]
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("resnext").setLevel(logging.INFO)
    for name in _DEAF:
        logging.getLogger(name).setLevel(logging.CRITICAL)
