"""Successive halving: Optuna decides from the errors so far which trials continue.

A trial that reaches a rung continues if it is among the best of the trials that precede it in the
study and also reached the rung. The first trials are therefore judged leniently, and the decision
does not depend on how many run at once: a trial that is ahead keeps training until those before it
have reached the rung.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.errors import RunError
from resnext.extras import import_for
from resnext.runs.folder import METRICS
from resnext.studies.records.cut import Cut, read_cut
from resnext.studies.records.epoch_log import epochs_of
from resnext.studies.records.trial import RUN, Trial, plan_trials
from resnext.studies.study import Halving, Study
from resnext.tasks.kinds import task_kind
from resnext.untrusted.parse import parse_json_lines

if TYPE_CHECKING:
    from optuna.study import Study as OptunaStudy
    from optuna.trial import Trial as OptunaTrial


def rung_epochs(halving: Halving, epochs: int) -> list[int]:
    """Return the epochs after which a trial may be stopped."""
    found = []
    epoch = halving.min_epochs
    while epoch < epochs:
        found.append(epoch)
        epoch *= halving.factor
    return found


class Pruner:
    """Optuna's successive halving over costs, lower is better, for the trials of one data set."""

    def __init__(self, halving: Halving) -> None:
        """Start without trials.

        Raises:
            ConfigError: Optuna is not installed.
        """
        optuna = _import_optuna()
        self._study: OptunaStudy = optuna.create_study(
            pruner=optuna.pruners.SuccessiveHalvingPruner(
                min_resource=halving.min_epochs, reduction_factor=halving.factor
            )
        )
        self._trials: dict[str, OptunaTrial] = {}

    def tell(self, key: str, epoch: int, cost: float) -> bool:
        """Report a trial's cost after an epoch; return whether to stop it there."""
        if key not in self._trials:
            self._trials[key] = self._study.ask()
        self._trials[key].report(cost, epoch)
        return self._trials[key].should_prune()


class HalvingController:
    """Follows the trials of a study and decides which to stop."""

    def __init__(self, study: Study, halving: Halving) -> None:
        self._study, self._halving = study, halving
        self._followed: dict[str, dict[str, _FollowedTrial]] = {}
        self._pruners: dict[str, Pruner] = {}
        for trial in plan_trials(study):
            followed = _FollowedTrial(trial.config.schedule.epochs, trial.config.task)
            self._followed.setdefault(trial.data, {}).setdefault(trial.key, followed)
            self._pruners.setdefault(trial.data, Pruner(halving))

    def look(self, trial: Trial, folder: Path) -> Cut | None:
        """Read new epochs of a trial.

        Returns:
            Where to stop it, or where it was stopped; None if it continues.
        """
        followed = self._followed[trial.data][trial.key]
        if followed.read(folder / RUN / METRICS):
            self._judge(trial.data)
        return followed.cut or self._kept(folder)

    def ended(self, key: str) -> None:
        """Note that a trial will report no more epochs, so that no other trial waits for them."""
        for data, followed in self._followed.items():
            if key in followed:
                followed[key].has_ended = True
                self._judge(data)

    def _kept(self, folder: Path) -> Cut | None:
        try:
            return read_cut(folder, self._study.name, self._halving)
        except RunError:
            return None  # it is found again from the log

    def _judge(self, data: str) -> None:
        """Judge each trial's epochs up to those that all trials before it have reached."""
        reached = float("inf")
        for key, followed in self._followed[data].items():
            metric = task_kind(followed.task).measure
            for epoch, value in followed.take(reached):
                if self._pruners[data].tell(key, epoch, metric.cost(value)):
                    followed.cut = self._cut(epoch, value, metric.key)
                    break
            if not followed.is_over():
                reached = min(reached, followed.last_judged)

    def _cut(self, epoch: int, value: float, measure: str) -> Cut:
        halving = self._halving
        rung = len(rung_epochs(halving, epoch))
        return Cut(
            self._study.name, epoch, value, rung, halving.min_epochs, halving.factor, measure
        )


class _FollowedTrial:
    """One trial: the epochs it has reported, and how many of them have been judged."""

    def __init__(self, epochs: int, task: str) -> None:
        self.task = task
        self._log: _EpochLog | None = None
        self._epochs: list[tuple[int, float]] = []
        self._num_epochs = epochs
        self.last_judged = 0
        self.cut: Cut | None = None
        self.has_ended = False

    def read(self, file: Path) -> bool:
        """Read new epochs; return whether there were any."""
        self._log = self._log or _EpochLog(file, self.task)
        new = self._log.new_epochs()
        self._epochs += new
        return bool(new)

    def take(self, reached: float) -> Iterator[tuple[int, float]]:
        """Return the next epochs to judge, in order."""
        while self._epochs and not self.is_over() and self._epochs[0][0] <= reached:
            self.last_judged, value = self._epochs.pop(0)
            if self.last_judged < self._num_epochs:
                yield self.last_judged, value

    def is_over(self) -> bool:
        """Return whether nothing of the trial is left to judge."""
        is_told = self.has_ended and not self._epochs
        return self.cut is not None or is_told or self.last_judged >= self._num_epochs


class _EpochLog:
    """The epochs of a growing `metrics.jsonl`, each returned once."""

    def __init__(self, file: Path, task: str) -> None:
        self._file, self._task = file, task
        self._offset = self._last_epoch = self._identity = 0

    def new_epochs(self) -> list[tuple[int, float]]:
        """Return numbers and results of the new epochs."""
        found = []
        for row in epochs_of(self._new_rows(), self._task):
            if row.epoch > self._last_epoch:
                self._last_epoch = row.epoch
                found.append((row.epoch, row.value))
        return found

    def _new_rows(self) -> list[dict[str, Any]]:
        try:
            with self._file.open("rb") as file:
                identity = os.fstat(file.fileno()).st_ino
                if identity != self._identity:  # cut back to a checkpoint: another file
                    self._identity, self._offset = identity, 0
                file.seek(self._offset)
                text, _, _ = file.read().rpartition(b"\n")
        except OSError:
            return []
        self._offset += len(text) + 1 if text else 0
        return parse_json_lines(text)[0]


def _import_optuna() -> Any:
    optuna = import_for("--halving", "optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
