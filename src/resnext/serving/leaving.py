"""Exit of the process, even if a thread hangs.

A decoder or runtime that hangs in C cannot be stopped, and Python waits for its threads at exit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

_THREADS_S = 1.0  # idle threads end at once

_LOG = logging.getLogger("resnext.serving")


@contextlib.contextmanager
def ending_by_sigterm() -> Iterator[None]:
    """Make SIGTERM end the process within the block, even as PID 1 of a container.

    The kernel ignores signals to PID 1 that have no handler.
    """
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def leave_after(seconds: float) -> threading.Timer:
    """End the process after some seconds with status 1, whatever it is doing.

    Returns:
        The timer, to cancel if everything ends in time.
    """
    timer = threading.Timer(seconds, _leave, args=("the end took too long",))
    timer.daemon = True
    timer.start()
    return timer


def leave_if_stuck() -> None:
    """End the process with status 1 if a non-daemon thread does not end."""
    end = time.monotonic() + _THREADS_S
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                _leave(f"the thread {thread.name} did not end")


def _leave(reason: str) -> None:
    telling = threading.Thread(target=_tell, args=(reason,), daemon=True)
    telling.start()
    telling.join(_THREADS_S)  # nothing may be reading the output
    os._exit(1)


def _tell(reason: str) -> None:
    _LOG.error("left at once: %s", reason)
    for handler in logging.getLogger().handlers:
        handler.flush()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
