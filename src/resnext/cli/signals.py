"""SIGTERM for verbs that write a file: what was begun is tidied up, and the program ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def tidy_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the program as an exception does, so that open contexts are closed.

    Raises:
        SystemExit: The signal came; the status is 128 + its number.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _leave(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not disturb the tidying
    sys.exit(128 + number)
