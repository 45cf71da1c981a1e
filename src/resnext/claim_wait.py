"""Waits for a claim whose holder may have died on another machine or is about to end."""

from __future__ import annotations

import contextlib
import glob
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from resnext.claim import (
    REMOVED,
    SECONDS_UNTIL_STALE,
    UNKNOWN,
    Claim,
    Holder,
    last_beat,
    take_claim,
)

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_TO_WAIT = SECONDS_UNTIL_STALE + 10.0
_MAX_ATTEMPTS = 100


def await_claim(
    folder: Path,
    on_lost: Callable[[], None],
    on_wait: Callable[[Holder], None],
    *,
    is_patient: bool = False,
) -> Claim | Holder:
    """Claim a folder; wait for a holder that may have died or may be about to end.

    A running process of this system keeps its claim, so there is nothing to wait for. A process on
    another machine counts as dead if it has not updated its claim for 90 seconds.

    Args:
        folder: The folder; created if missing.
        on_lost: See `take_claim`.
        on_wait: Called between checks; may raise to stop waiting.
        is_patient: Also wait for a live holder, as it may be stopping.

    Returns:
        The claim, or its live holder.

    Raises:
        OSError: The folder cannot be created or written.
    """
    begun = time.monotonic()
    beats: set[tuple[int, float]] = set()
    while True:
        taken = _make_and_take(folder, on_lost)
        if isinstance(taken, Claim):
            return taken
        beats.add(last_beat(folder))
        is_alive = taken.is_here or (taken != UNKNOWN and len(beats) > 1)
        is_over = time.monotonic() - begun > _SECONDS_TO_WAIT
        if is_over or (is_alive and not is_patient):
            return taken
        on_wait(taken)
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _make_and_take(folder: Path, on_lost: Callable[[], None]) -> Claim | Holder:
    for _ in range(_MAX_ATTEMPTS):
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # its holder is just removing it
            return take_claim(folder, on_lost)
    return UNKNOWN


def finish_removals(folder: Path) -> None:
    """Finish removing folders whose removal was killed."""
    for left in folder.parent.glob(f"{glob.escape(folder.name)}.*{REMOVED}"):
        shutil.rmtree(left, ignore_errors=True)
