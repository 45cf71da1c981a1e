"""Keeps an executor busy until no trial is missing; a failing trial does not stop the others."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from resnext.claim import find_holder
from resnext.ctrl_c import Promise
from resnext.errors import ConfigError, RunError
from resnext.studies.execution.attempts import Status, reason_of, record_attempt
from resnext.studies.execution.executor import Executor, open_log
from resnext.studies.execution.halving import HalvingController
from resnext.studies.execution.progress import Progress
from resnext.studies.records.cut import Cut, write_cut
from resnext.studies.records.results import Row, read_row
from resnext.studies.records.trial import DamagedTrialError, Trial, create_trial
from resnext.training.interrupt import Interrupted

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_LOOKS_ELSEWHERE = 5.0
_MAX_ATTEMPTS = 2  # of a trial that does not finish


class TrialQueue:
    """Keeps an executor busy until no trial is missing."""

    def __init__(
        self,
        missing: list[Trial],
        root: Path,
        executor: Executor,
        progress: Progress,
        judge: HalvingController | None = None,
        num_done: int = 0,
    ) -> None:
        """Set up the queue.

        Args:
            missing: The trials to run.
            root: The folder with the pool of trials.
            executor: Where they run.
            progress: Shows their progress.
            judge: Decides which trials to stop early.
            num_done: Trials of the study that are already done.
        """
        self._root, self._executor = root, executor
        self._progress, self._judge = progress, judge
        self._waiting = deque(missing)
        self._elsewhere: deque[Trial] = deque()
        self._running: dict[Path, Trial] = {}
        self._stopped: dict[Path, Cut] = {}
        self._num_failures: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._refused_data: set[str] = set()
        self._num_done = num_done
        self._next_look_elsewhere = 0.0
        self._signal = 0
        self._is_urgent = False

    def run(self, slots: int) -> None:
        """Run all missing trials.

        Args:
            slots: Trials at once.

        Raises:
            Interrupted: A signal asked to stop; the trials have saved their state.
            ConfigError: All trials are refused for the same reason.
            RunError: A trial's folder cannot be written; the running trials have saved their state.
        """
        with self._signals():
            try:
                while self._waiting or self._running or self._elsewhere:
                    if self._signal:
                        self._leave()
                    self._look(slots)
                    time.sleep(_SECONDS_BETWEEN_LOOKS)
            except (ConfigError, RunError):
                self._stop_all()
                raise

    def _look(self, slots: int) -> None:
        """Start trials in free slots, and process those that ended."""
        self._start_some(slots)
        self._stop_worse()
        for folder, status in self._executor.ended():
            self._end(self._running.pop(folder), folder, status)
        self._progress.tick(self._running)

    def _start_some(self, slots: int) -> None:
        """Fill the free slots; check trials held by other processes every few seconds."""
        if self._elsewhere and time.monotonic() > self._next_look_elsewhere:
            self._next_look_elsewhere = time.monotonic() + _SECONDS_BETWEEN_LOOKS_ELSEWHERE
            self._waiting.extend(self._elsewhere)
            self._elsewhere.clear()
        while self._waiting and len(self._running) < slots:
            self._start(self._waiting.popleft())

    def _start(self, trial: Trial) -> None:
        """Start a trial, unless it is done or held elsewhere."""
        folder = trial.folder(self._root)
        row = read_row(trial, self._root)
        cut = self._judge.look(trial, folder) if self._judge is not None else None
        if row.state == "done":
            self._note_end(trial)
            self._progress.ended(row)
        elif row.state == "running":
            self._progress.elsewhere(trial, str(find_holder(folder) or "another process"))
            self._elsewhere.append(trial)
        elif cut is not None:
            self._prune(row, cut)
        elif self._begin(trial, folder):
            self._running[folder] = trial
            self._progress.started(trial, folder)

    def _begin(self, trial: Trial, folder: Path) -> bool:
        """Start a trial with the settings of this study; others may have changed them since.

        Returns:
            Whether it runs; a damaged folder does not affect other trials.
        """
        try:
            create_trial(trial, self._root)
        except DamagedTrialError as error:
            self._refuse(trial, folder, error)
            return False
        write_cut(folder, None)
        self._executor.start(folder)
        return True

    def _refuse(self, trial: Trial, folder: Path, error: DamagedTrialError) -> None:
        """Give up on a trial whose folder is damaged, and record it if possible."""
        with suppress(RunError, OSError):
            with open_log(folder) as log:
                log.write(f"{error}\n".encode())
            record_attempt(folder, Status.REFUSED, is_last=True)
        self._note_end(trial)
        self._progress.ended(replace(read_row(trial, self._root), state="failed"), str(error))

    def _note_end(self, trial: Trial) -> None:
        """Stop halving from waiting for a trial."""
        if self._judge is not None:
            self._judge.ended(trial.key)

    def _stop_worse(self) -> None:
        """Ask the trials that halving stops to exit."""
        if self._judge is None:
            return
        for folder, trial in self._running.items():
            cut = self._judge.look(trial, folder) if folder not in self._stopped else None
            if cut is not None:
                self._stopped[folder] = cut
                self._executor.stop(folder)

    def _prune(self, row: Row, cut: Cut) -> None:
        write_cut(row.folder, cut)
        self._progress.ended(replace(row, state="pruned"), str(cut))

    def _end(self, trial: Trial, folder: Path, status: int) -> None:
        cut = self._stopped.pop(folder, None)
        if self._judge is not None:
            self._judge.look(trial, folder)  # others are compared with its last epochs
        if status == Status.DONE:
            self._num_done += 1
            self._note_end(trial)
            self._progress.ended(read_row(trial, self._root))
        elif status in (Status.HELD, Status.CLAIM_LOST):
            self._elsewhere.append(trial)
        elif cut is not None:
            self._prune(read_row(trial, self._root), cut)
        else:
            self._fail(trial, folder, status)

    def _fail(self, trial: Trial, folder: Path, status: int) -> None:
        """Record an unfinished attempt, and decide whether to retry."""
        self._num_failures[trial.key] += 1
        is_refused = reason_of(status) == "refused"
        is_last = is_refused or self._num_failures[trial.key] >= _MAX_ATTEMPTS
        reason, detail = record_attempt(folder, status, is_last=is_last)
        if is_refused:
            self._stop_if_all_are_refused(trial, detail)
        if is_last:
            self._note_end(trial)
            row = replace(read_row(trial, self._root), state="failed")
            self._progress.ended(row, f"{reason}: {detail}")
        else:
            self._progress.retried(trial, f"{reason}: {detail}")
            self._waiting.appendleft(trial)

    def _stop_if_all_are_refused(self, trial: Trial, detail: str) -> None:
        """Report a mistake that affects all trials once, instead of once per trial.

        Trials of another data set may still work.
        """
        self._refusals[detail] += 1
        self._refused_data.add(trial.data)
        left = [*self._waiting, *self._running.values(), *self._elsewhere]
        are_alike = {other.data for other in left} <= self._refused_data
        if not self._num_done and are_alike and (self._refusals[detail] > 1 or not left):
            raise ConfigError(f"{trial.design.label}, {trial.data}: {detail}")

    def _leave(self) -> None:
        self._stop_all()
        raise Interrupted(
            self._signal,
            f"stopped by {signal.Signals(self._signal).name}; the running trials have "
            + ("been killed" if self._is_urgent else "saved"),
        )

    def _stop_all(self) -> None:
        """Let the running trials save their state; a second signal kills them."""
        for folder in self._running:
            if folder not in self._stopped:
                self._executor.stop(folder)
        while self._running:
            for folder, _ in self._executor.ended():
                del self._running[folder]
            if self._is_urgent:
                self._executor.kill()
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # Python allows handlers in the main thread only
            return

        def note(number: int, _: FrameType | None) -> None:
            self._is_urgent = self._signal != 0
            self._signal = self._signal or number

        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, note) for number in numbers}
        line = "waiting for the running trials to save; press again to kill them"
        try:
            with Promise(line, is_patient=True):
                yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
