"""Successive halving: which trials go on, decided by Optuna from their errors so far.

Optuna's pruner is the asynchronous form: a trial that reaches a rung goes on if it is among the
best of those that were there before it, so that no trial waits for another. The first ones to
reach a rung are therefore judged leniently.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.errors import ConfigError, RunError
from resnext.studies.study import Halving, Study
from resnext.studies.trial import RUN, Trial
from resnext.training.run_folder import METRICS, write_json

if TYPE_CHECKING:
    from optuna.study import Study as OptunaStudy
    from optuna.trial import Trial as OptunaTrial

PRUNED = "pruned.json"


@dataclass(frozen=True)
class Cut:
    """Where a trial was stopped.

    Attributes:
        study: Name of the study whose designs were better.
        epoch: Epoch after which it was found to be worse.
        error: Its top-1 error then, in percent.
        rung: Number of the rung, from 0.
        min_epochs: The halving's settings; see `Halving`.
        factor: The same.
    """

    study: str
    epoch: int
    error: float
    rung: int
    min_epochs: int
    factor: int

    def __str__(self) -> str:
        return f"top-1 error {self.error:.2f}% after epoch {self.epoch}"


def read_cut(folder: Path, study: Study, halving: Halving | None = None) -> Cut | None:
    """Return where a trial was stopped, if it was for this study and by this halving, or any."""
    try:
        values = json.loads((folder / PRUNED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    cut = Cut(**values)
    is_same = halving is None or (halving.min_epochs, halving.factor) == (
        cut.min_epochs,
        cut.factor,
    )
    return cut if cut.study == study.name and is_same else None


def write_cut(folder: Path, cut: Cut | None) -> None:
    """Keep in a trial's folder where it was stopped, or that it goes on.

    Raises:
        RunError: The folder cannot be written.
    """
    try:
        if cut is None:
            (folder / PRUNED).unlink(missing_ok=True)
        else:
            write_json(folder / PRUNED, asdict(cut), is_shared=True)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}; choose another --root") from None


def rung_epochs(halving: Halving, epochs: int) -> list[int]:
    """Return the epochs after which a trial may be stopped, out of so many."""
    found = []
    epoch = halving.min_epochs
    while epoch < epochs:
        found.append(epoch)
        epoch *= halving.factor
    return found


class Pruner:
    """Optuna's successive halving over errors in percent, for the trials of one data set."""

    def __init__(self, halving: Halving) -> None:
        """Begin with no trial.

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

    def tell(self, key: str, epoch: int, error: float) -> bool:
        """Tell a trial's error after an epoch, and whether it is to stop there."""
        if key not in self._trials:
            self._trials[key] = self._study.ask()
        self._trials[key].report(error, epoch)
        return self._trials[key].should_prune()


class Judge:
    """Follows the trials of a study, and says which are to be stopped."""

    def __init__(self, study: Study, halving: Halving) -> None:
        self._study, self._halving = study, halving
        self._pruners: dict[str, Pruner] = {}
        self._logs: dict[str, _EpochLog] = {}
        self._cuts: dict[str, Cut] = {}

    def look(self, trial: Trial, folder: Path) -> Cut | None:
        """Read what is new of a trial.

        Returns:
            Where it is to be stopped, or was; None lets it go on.
        """
        log = self._logs.setdefault(trial.key, _EpochLog(folder / RUN / METRICS))
        if trial.data not in self._pruners:
            self._pruners[trial.data] = Pruner(self._halving)
        pruner = self._pruners[trial.data]
        epochs = trial.config.schedule.epochs
        for epoch, error in log.new_epochs():
            if trial.key in self._cuts or epoch >= epochs:
                break
            if pruner.tell(trial.key, epoch, error):
                rung = rung_epochs(self._halving, epochs).index(epoch)
                self._cuts[trial.key] = self._cut(epoch, error, rung)
        return self._cuts.get(trial.key) or read_cut(folder, self._study, self._halving)

    def _cut(self, epoch: int, error: float, rung: int) -> Cut:
        halving = self._halving
        return Cut(self._study.name, epoch, error, rung, halving.min_epochs, halving.factor)


class _EpochLog:
    """The epochs of a growing `metrics.jsonl`, each told once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = self._last_epoch = self._identity = 0

    def new_epochs(self) -> list[tuple[int, float]]:
        """Return numbers and errors of the epochs that were not told before."""
        found = []
        for row in self._new_rows():
            if row["kind"] == "epoch" and row["epoch"] > self._last_epoch:
                self._last_epoch = row["epoch"]
                found.append((row["epoch"], row["top1_error"]))
        return found

    def _new_rows(self) -> list[dict[str, Any]]:
        try:
            with self._file.open("rb") as file:
                identity = os.fstat(file.fileno()).st_ino
                if identity != self._identity:  # cut back to a checkpoint: another file
                    self._identity, self._offset = identity, 0
                file.seek(self._offset)
                text, _, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._offset += len(text) + 1 if text else 0
        return [json.loads(line) for line in text.splitlines()]


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "halving needs Optuna, which is not installed: pip install 'resnext[halving]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
