"""Runs what is missing of a study: in order, some trials at once, none of which can stop it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Literal

from resnext.errors import ConfigError, RunError
from resnext.studies.claim import find_holder
from resnext.studies.executor import Effort, Executor, LocalExecutor
from resnext.studies.progress import Progress
from resnext.studies.results import Row, read_row
from resnext.studies.study import Study
from resnext.studies.trial import ATTEMPTS, LOG, Trial, create_trial, plan_trials
from resnext.studies.trial_process import Status
from resnext.training.interrupt import Interrupted

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_LOOKS_ELSEWHERE = 5.0
_FAILED = ("crashed", "killed", "out of memory", "diverged", "refused")


@dataclass(frozen=True)
class RunOptions:
    """How to run the trials; it does not change what comes out.

    Attributes:
        jobs: Trials at once; None is one on this machine, and all that a cluster has room for.
        threads: CPU threads of one process; None divides the cores.
        processes: Processes of one trial.
        cluster: Address of a Ray cluster, or `auto`; None runs on this machine.
        mode: What a person sees.
        halving: Stop the worse designs early, as the study says.
        retries: New attempts of a trial that did not finish.
    """

    jobs: int | None = None
    threads: int | None = None
    processes: int = 1
    cluster: str | None = None
    mode: Literal["live", "plain", "quiet"] = "plain"
    halving: bool = False
    retries: int = 1


def run_study(study: Study, root: Path, options: RunOptions) -> list[Row]:
    """Run all trials that are not done.

    Args:
        study: The study.
        root: The folder with the pool of trials.
        options: How many at once, and where.

    Returns:
        All rows of the study, also of the trials that failed.

    Raises:
        Interrupted: A signal asked to stop; the trials have saved their state.
        ConfigError: The first trials were refused, for instance because there are no images.
        RunError: The folder cannot be written.
    """
    for name in ("jobs", "threads", "processes"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name}={value}: give at least 1")
    trials = plan_trials(study)
    for trial in trials:
        create_trial(trial, root)
    missing = [trial for trial in trials if read_row(trial, root).state != "done"]
    if missing:
        executor = _executor(options)
        with Progress(options.mode, len(trials), len(missing)) as progress:
            _Scheduler(missing, root, executor, options, progress).run()
    return status_rows(study, root)


def status_rows(study: Study, root: Path) -> list[Row]:
    """Return all rows of a study, with those that run or have failed told apart."""
    return [_status(read_row(trial, root)) for trial in plan_trials(study)]


def _status(row: Row) -> Row:
    if row.state == "done" or not row.folder.exists():
        return row
    if find_holder(row.folder) is not None:
        return replace(row, state="running")
    if row.attempts and row.attempts[-1]["reason"] in _FAILED:
        return replace(row, state="failed")
    return row


def _executor(options: RunOptions) -> Executor:
    if options.cluster is not None:
        from resnext.studies.cluster import RayExecutor

        return RayExecutor(Effort(options.threads or 1, options.processes), options.cluster)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    jobs = options.jobs or 1
    threads = options.threads or max(1, (cores or 1) // (jobs * options.processes))
    return LocalExecutor(Effort(threads, options.processes), jobs)


class _Scheduler:
    def __init__(
        self,
        missing: list[Trial],
        root: Path,
        executor: Executor,
        options: RunOptions,
        progress: Progress,
    ) -> None:
        self._root, self._executor, self._options = root, executor, options
        self._progress = progress
        self._places = options.jobs or executor.places
        self._waiting = deque(missing)
        self._elsewhere: deque[Trial] = deque()
        self._running: dict[Path, Trial] = {}
        self._failures: dict[str, int] = {}
        self._num_done = 0
        self._next_look_elsewhere = 0.0
        self._signal = 0
        self._is_urgent = False

    def run(self) -> None:
        with self._signals():
            while self._waiting or self._running or self._elsewhere:
                if self._signal:
                    self._leave()
                self._start_some()
                for folder, status in self._executor.ended():
                    self._end(self._running.pop(folder), folder, status)
                self._progress.tick(self._running)
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _start_some(self) -> None:
        """Fill the places; trials of others are looked at again when nothing else is left."""
        if self._elsewhere and time.monotonic() > self._next_look_elsewhere:
            self._next_look_elsewhere = time.monotonic() + _SECONDS_BETWEEN_LOOKS_ELSEWHERE
            self._waiting.extend(self._elsewhere)
            self._elsewhere.clear()
        while self._waiting and len(self._running) < self._places:
            trial = self._waiting.popleft()
            folder = trial.folder(self._root)
            row = read_row(trial, self._root)
            if row.state == "done":
                self._progress.ended(row)
            elif holder := find_holder(folder):
                self._progress.elsewhere(trial, str(holder))
                self._elsewhere.append(trial)
            else:
                self._executor.start(folder)
                self._running[folder] = trial
                self._progress.started(trial, folder)

    def _end(self, trial: Trial, folder: Path, status: int) -> None:
        if status == Status.DONE:
            self._num_done += 1
            self._progress.ended(read_row(trial, self._root))
            return
        if status in (Status.HELD, Status.CLAIM_LOST):
            self._elsewhere.append(trial)
            return
        reason, detail = _reason(status), _last_words(folder)
        if reason == "refused" and not self._num_done:
            self._stop_all()
            raise ConfigError(f"{trial.design.label}, {trial.data}: {detail}")
        _record(folder, reason, detail)
        self._failures[trial.key] = self._failures.get(trial.key, 0) + 1
        is_last = reason == "refused" or self._failures[trial.key] > self._options.retries
        if is_last:
            self._progress.ended(_status(read_row(trial, self._root)))
        else:
            self._progress.retried(trial, reason)
            self._waiting.appendleft(trial)

    def _leave(self) -> None:
        self._stop_all()
        raise Interrupted(
            self._signal,
            f"stopped by {signal.Signals(self._signal).name}; the running trials have saved",
        )

    def _stop_all(self) -> None:
        """Let the running trials save; a second signal kills them."""
        for folder in self._running:
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
        def note(number: int, _: FrameType | None) -> None:
            self._is_urgent = self._signal != 0
            self._signal = self._signal or number

        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _reason(status: int) -> str:
    """Name how an attempt ended."""
    if status < 0:
        return "killed"
    if status > 128:
        return "interrupted"
    names = {
        Status.REFUSED: "refused",
        Status.DIVERGED: "diverged",
        Status.OUT_OF_MEMORY: "out of memory",
    }
    return {int(key): name for key, name in names.items()}.get(status, "crashed")


def _last_words(folder: Path) -> str:
    """Return the last line of a trial's log."""
    with (folder / LOG).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _record(folder: Path, reason: str, detail: str) -> None:
    row = {"reason": reason, "detail": detail, "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    try:
        with (folder / ATTEMPTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}") from None
