"""SIGTERM handling for verbs that write files: clean up, then end the program."""

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
    """Let SIGTERM raise an exception, so that open contexts are closed.

    Raises:
        SystemExit: The signal was received; the status is 128 + its number.
    """
    global _received
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    except Exception:
        leave_if_received()  # a library turned the exception of the signal into one of its own
        raise
    finally:
        _received = None
        signal.signal(signal.SIGTERM, previous)


def leave_if_received() -> None:
    """Re-raise the exception of a SIGTERM that a library swallowed.

    Raises:
        SystemExit: The signal was received before.
    """
    if _received is not None:
        sys.exit(128 + _received)


def _leave(number: int, _frame: FrameType | None) -> None:
    global _received
    _received = number
    signal.signal(number, signal.SIG_IGN)  # a second one must not disturb the tidying
    sys.exit(128 + number)
