"""Ctrl-C and SIGTERM: finish the step, save, say how to go on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from resnext.ctrl_c import SAME_REQUEST_S, Promise

if TYPE_CHECKING:
    from resnext.runs.runtime import Runtime

# A flag that every process must agree on costs one small message; on a GPU reading it also
# waits for the device, so it is asked for less often there.
_STEPS_BETWEEN_CHECKS = {"cpu": 1, "cuda": 20}


class Interrupted(BaseException):
    """Training was asked to stop and has saved its state; the message says how to go on.

    Attributes:
        signal_number: The signal that asked for it.
    """

    def __init__(self, signal_number: int, message: str) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class StopRequest:
    """Remembers that the process was asked to stop."""

    def __init__(self, runtime: Runtime, *, is_guest: bool = False) -> None:
        self.signal_number = 0
        self._is_guest = is_guest
        self._asked_at_s = 0.0
        self._pid = os.getpid()
        self._runtime = runtime

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Note the first signal; a second one ends the process, or a guest's work in it, at once.

        Raises:
            KeyboardInterrupt: A guest's second signal came; nothing is saved.
        """
        if os.getpid() != self._pid:  # a worker that was forked a moment ago
            return
        now_s = time.monotonic()
        if not self.signal_number:
            self.signal_number, self._asked_at_s = number, now_s
        elif now_s - self._asked_at_s > SAME_REQUEST_S:
            if self._is_guest:
                raise KeyboardInterrupt
            os._exit(128 + number)

    def agreed(self, step: int) -> int:
        """Return the signal if any process got one, the same answer in all of them."""
        if self._runtime.world_size == 1:
            return self.signal_number
        if step % _STEPS_BETWEEN_CHECKS.get(self._runtime.device.type, 1):
            return 0
        import torch  # studies catch `Interrupted` without it
        import torch.distributed as dist

        number = torch.tensor(self.signal_number, device=self._runtime.device)
        dist.all_reduce(number, dist.ReduceOp.MAX)
        return int(number)


@contextmanager
def stop_on_signal(runtime: Runtime, *, is_guest: bool = False) -> Iterator[StopRequest]:
    """Catch SIGINT and SIGTERM while training runs (Python allows it in the main thread only).

    Args:
        runtime: The processes that must agree to stop.
        is_guest: The process is somebody else's, and is not ended by a second signal.
    """
    request = StopRequest(runtime, is_guest=is_guest)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = {
        number: signal.signal(number, request.handle) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with Promise("finishing this step and saving; press again to stop now"):
            yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
