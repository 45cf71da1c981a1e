"""Claiming a folder whose holder may have died on another machine or is about to end."""

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

    A process of this system that runs holds its claim, and there is nothing to wait for. Of one
    on another machine only the beats tell: without any for a minute and a half it counts as dead.

    Args:
        folder: The folder, which is made if it is missing.
        on_lost: See `take_claim`.
        on_wait: Is called between two looks; may raise to end the waiting.
        is_patient: Wait as long for a holder that is alive, since it may have been asked to stop.

    Returns:
        The claim, or who holds it and is alive.

    Raises:
        OSError: The folder cannot be made or written.
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
    """Remove what is left of a claimed folder if a process was killed while it removed it."""
    for left in folder.parent.glob(f"{glob.escape(folder.name)}.*{REMOVED}"):
        shutil.rmtree(left, ignore_errors=True)
