"""How an attempt at a trial ended: its exit status, the reason, and the record."""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from resnext.errors import ResNeXtError, RunError, TrainingError
from resnext.studies.records.trial import ATTEMPTS, LOG

_MEMORY_WORDS = ("DefaultCPUAllocator", "can't allocate memory", "out of memory")
_TAIL_BYTES = 4096


class Status(IntEnum):
    """Exit status; 128 + N if signal N ended it and the state was saved."""

    DONE = 0
    CRASHED = 1
    REFUSED = 2
    DIVERGED = 3
    OUT_OF_MEMORY = 4
    CLAIM_LOST = 5
    HELD = 75


_REASONS = {
    int(Status.REFUSED): "refused",
    int(Status.DIVERGED): "diverged",
    int(Status.OUT_OF_MEMORY): "out of memory",
}


def guarded(work: Callable[[], None]) -> int:
    """Run the work of a process; turn failures into an exit status and a log message."""
    from resnext.training.interrupt import Interrupted

    try:
        work()
    except Interrupted as stop:
        print(stop, flush=True)
        return 128 + stop.signal_number
    except TrainingError as error:
        print(_one_line(error), flush=True)
        return Status.DIVERGED
    except ResNeXtError as error:
        print(_one_line(error), flush=True)
        return Status.REFUSED
    except Exception as error:
        traceback.print_exc()
        return Status.OUT_OF_MEMORY if _is_memory(error) else Status.CRASHED
    return Status.DONE


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())  # the last line of the log is the detail of the attempt


def _is_memory(error: Exception) -> bool:
    """Return whether an error means out of memory; torch's CPU allocator raises a RuntimeError."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _MEMORY_WORDS)


def reason_of(status: int) -> str:
    """Return why an attempt did not finish.

    Args:
        status: Exit status; negative for the signal that killed the process.
    """
    if status < 0:
        return "killed"
    if status > 128:
        return "interrupted"
    return _REASONS.get(status, "crashed")


def record_attempt(folder: Path, status: int, *, is_last: bool) -> tuple[str, str]:
    """Record in the trial's folder how an attempt ended.

    Args:
        folder: The trial's folder.
        status: Exit status of the attempt.
        is_last: The study gives up on the trial, which has failed.

    Returns:
        The reason and a detail: the signal, or the last line that the attempt printed.

    Raises:
        RunError: The folder cannot be written.
    """
    reason = reason_of(status)
    detail = f"by {signal.Signals(-status).name}" if status < 0 else last_words(folder)
    row = {
        "is_last": is_last,
        "reason": reason,
        "detail": detail,
        "status": status,
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "log": log_tail(folder),
    }
    try:
        with (folder / ATTEMPTS).open("a", encoding="utf-8") as file:
            # an end of the line first: a full disk may have cut off the one before
            file.write("\n" + json.dumps(row) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}") from None
    return reason, detail


def last_words(folder: Path) -> str:
    """Return the last line of a trial's log."""
    lines = log_tail(folder).splitlines()
    return lines[-1] if lines else ""


def log_tail(folder: Path) -> str:
    """Return the end of a trial's log."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
