"""One writer per run: the training process claims the run folder.

The claim is in the hidden folder `.writer` of the run. It ends with its process: immediately on the
same machine, otherwise if it has not been renewed for 90 seconds.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from resnext.claim import Claim, Holder, find_holder
from resnext.claim_wait import await_claim
from resnext.errors import RunError
from resnext.runs.folder import WRITER
from resnext.training.interrupt import Interrupted, StopRequest

if TYPE_CHECKING:
    from resnext.training.display import Display


class RunClaim:
    """The right to write into a run folder, released by the context.

    Only the first process of a training takes it. If it was not taken, nothing is checked.
    """

    def __init__(self, display: Display, stop: StopRequest) -> None:
        self._display, self._stop = display, stop
        self._run = Path()
        self._claim: Claim | None = None
        self._is_waiting = False
        self._lost = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._claim is not None:
            with contextlib.suppress(OSError):  # a full disk; the claim ends with the process
                self._claim.release()
            self._claim = None

    def take(self, run: Path, *, is_patient: bool) -> None:
        """Claim a run folder.

        Args:
            run: The folder, which exists.
            is_patient: Also wait for a live process: a launcher may restart a training before the
                previous process has ended.

        Raises:
            RunError: Another process writes into it.
            Interrupted: A signal asked to stop while waiting.
            OSError: The folder cannot be written.
        """
        self._run = run
        taken = await_claim(run / WRITER, self._lost.set, self._wait, is_patient=is_patient)
        if isinstance(taken, Holder):
            raise RunError(
                f"{run} is in use: {taken} is writing into it. Wait until that process has "
                "ended, or stop it; it saves its state first"
            )
        self._claim = taken

    @property
    def is_lost(self) -> bool:
        """Whether another process is known to have taken over."""
        return self._lost.is_set()

    def check(self) -> None:
        """Raise if another process has taken over.

        Raises:
            RunError: One has, because this process was suspended.
        """
        if self._claim is None or (not self.is_lost and self._claim.is_held()):
            return
        self._lost.set()
        other = find_holder(self._run / WRITER) or "another process"
        raise RunError(
            f"{other} has taken over {self._run}, because this process was suspended for more "
            "than a minute; it will not write anything else"
        )

    def _wait(self, holder: Holder) -> None:
        if self._stop.signal_number:
            name = signal.Signals(self._stop.signal_number).name
            raise Interrupted(
                self._stop.signal_number, f"stopped by {name} while waiting for {self._run}"
            )
        if not self._is_waiting:
            self._display.note(f"waiting for {holder} to stop writing into {self._run}")
            self._is_waiting = True
