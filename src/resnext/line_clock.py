"""Schedules progress lines where no bar can be drawn: often at first, then less often."""

from __future__ import annotations

import time
from collections.abc import Callable

_FIRST_PAUSE_S = 2.0
_MAX_PAUSE_S = 30.0


class LineClock:
    """Doubles the interval after each line, up to half a minute."""

    def __init__(
        self, *, first_s: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock.

        Args:
            first_s: Seconds until the first line is due.
            clock: Monotonic clock in seconds.
        """
        self._clock = clock
        self._next = clock() + first_s
        self._pause_s = _FIRST_PAUSE_S

    def is_due(self) -> bool:
        """Return whether a line is due; if so, schedule the next one."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, _MAX_PAUSE_S)
        return True
