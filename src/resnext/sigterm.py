"""SIGTERM for verbs that write a file: what was begun is tidied up, and the program ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_received: int | None = None


@contextmanager
def tidy_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the program as an exception does, so that open contexts are closed.

    Raises:
        SystemExit: The signal came; the status is 128 + its number.
    """
    global _received
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        _received = None
        signal.signal(signal.SIGTERM, previous)


def leave_if_received() -> None:
    """Raise the exception of a SIGTERM again that a library swallowed.

    Raises:
        SystemExit: The signal came before.
    """
    if _received is not None:
        sys.exit(128 + _received)


def _leave(number: int, _frame: FrameType | None) -> None:
    global _received
    _received = number
    signal.signal(number, signal.SIG_IGN)  # a second one must not disturb the tidying
    sys.exit(128 + number)
