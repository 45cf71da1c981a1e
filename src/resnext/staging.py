"""A hidden folder for work in progress, next to its destination.

It is removed at the end. Leftovers of a killed process are removed by the next one for the same
destination.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.claim import Claim, Holder
from resnext.claim_wait import await_claim, finish_removals
from resnext.ctrl_c import Promise, has_raised
from resnext.errors import ResNeXtError
from resnext.sigterm import leave_if_received

_LOG = logging.getLogger(__name__)
_WORK = "work-"


@contextmanager
def work_folder(dest: Path, error: type[ResNeXtError]) -> Iterator[Path]:
    """Yield an empty folder in the destination's file system; for one process at a time.

    Args:
        dest: The file or folder to write; its parent folder exists.
        error: Raised if another process works for the same destination.

    Raises:
        ResNeXtError: Another process works for it.
        OSError: The folder cannot be created.
    """
    folder = dest.with_name(f".{dest.name}.staging")
    finish_removals(folder)
    claim = _claim(folder, dest, error)
    try:
        for left in folder.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        # Its own name: if this process stops for long and is taken over, it finds nothing here.
        work = folder / f"{_WORK}{os.getpid()}-{time.time_ns()}"
        work.mkdir()
        yield work
    finally:
        try:
            claim.remove_folder()
        except KeyboardInterrupt:  # raised again where the first one seemed lost: see `ctrl_c`
            claim.remove_folder()
            raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay SIGINT and SIGTERM until several files have been moved to their destinations.

    A signal received before ends the program here if its exception was lost: torch's C++ code
    swallows exceptions raised during attribute lookups.
    """
    leave_if_received()
    if has_raised():
        raise KeyboardInterrupt
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    previous = {
        number: signal.signal(number, lambda got, _: came.append(got))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with Promise(is_patient=True):
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler or signal.SIG_DFL)
    if came:
        signal.raise_signal(came[0])


def _claim(folder: Path, dest: Path, error: type[ResNeXtError]) -> Claim:
    waits: list[Holder] = []

    def wait(holder: Holder) -> None:
        if not waits:
            _LOG.warning("waiting for %s, which was writing %s", holder, dest)
        waits.append(holder)

    taken = await_claim(folder, lambda: None, wait)
    if isinstance(taken, Holder):
        raise error(
            f"{dest} is being written by {taken}; wait until that process has ended, or choose "
            "another destination"
        )
    return taken
