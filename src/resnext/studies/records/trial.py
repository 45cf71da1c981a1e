"""One trial: a design, trained once on one data set with one seed, in its own folder.

ROOT/trials/KEY/
  trial.json     what to train, and which tests follow
  run/           an ordinary run folder
  result.json    the figures, once training has ended
  tests/*.json   the figures of each test
  attempts.jsonl how each attempt that did not finish ended
  machines.jsonl where each attempt computed
  log.txt        what the attempts printed

Studies share this pool: the key is a hash of everything that decides the outcome, so a trial shared
by two studies is trained once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import PositiveInt

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS, SIGNAL_NAMES
from resnext.errors import ConfigError, RunError
from resnext.files import write_whole
from resnext.model.names import name_of
from resnext.model.parts import PLUGIN
from resnext.plugins import check_shared
from resnext.runs.config import TrainConfig
from resnext.settings import Settings
from resnext.studies.records.arithmetic import is_settled, kind_of
from resnext.studies.records.stored import read_stored
from resnext.studies.study import Design, Study, Test
from resnext.untrusted.names import check_file_name

TRIAL, RUN, RESULT, TESTS = "trial.json", "run", "result.json", "tests"
ATTEMPTS, LOG = "attempts.jsonl", "log.txt"

# Settings that say where and how conveniently a trial runs, not what comes out; and what a
# network takes from its data.
_WITHOUT_EFFECT = {"model": {"num_classes", "in_channels"}, "runtime": set(), "data": {"workers"}}

# What names left out before they told how a trial is computed. Trials of that time keep their
# names, so that a study that has not run since still has its report.
_ONCE_LEFT_OUT = {"device", "threads", "compile", "channels_last"}


class DamagedTrialError(RunError):
    """The folder of one trial cannot be used; other trials are not affected."""


class TrialSettings(Settings):
    """The settings stored in a trial's folder.

    Attributes:
        config: All settings of the run.
        tests: Evaluations after training.
        processes: Processes that train together.
    """

    config: TrainConfig
    tests: tuple[Test, ...] = ()
    processes: PositiveInt = 1


@dataclass(frozen=True)
class Trial:
    """What one trial trains and evaluates.

    Attributes:
        design: Its design in the study.
        config: All settings of the run.
        tests: Evaluations after training.
        processes: Processes that train together; each has its own batch-norm statistics.
    """

    design: Design
    config: TrainConfig
    tests: tuple[Test, ...] = ()
    processes: int = 1

    @property
    def data(self) -> str:
        """Name of the data set."""
        return self.config.data.label

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.config.seed

    @cached_property
    def key(self) -> str:
        """Name of the trial's folder: readable, and unique by a hash of the settings.

        Raises:
            ConfigError: The name of the network or data is not valid for a folder.
        """
        values = _essence(self.config, self.processes)
        try:
            return check_file_name(
                f"{name_of(self.config.model)}-{self.data}-s{self.seed}-{_hash(values)}"
            )
        except ValueError as error:
            raise ConfigError(f"folder of a trial: {error}; rename the data") from None

    def folder(self, root: Path) -> Path:
        """Return the trial's folder in the pool of a root."""
        return root / "trials" / self.key


def create_trial(trial: Trial, root: Path) -> Path:
    """Create a trial's folder if it does not exist, and store its settings.

    Tests that another study did not request are added. The location of the images and other
    settings that do not affect the results are updated. A damaged file is replaced, as the folder's
    name determines its content.

    Raises:
        ConfigError: The trial's process could not import a part of the network.
        DamagedTrialError: The folder contains other settings, or is not a folder.
        RunError: It cannot be written.
    """
    assert is_settled(trial.config.runtime), "settle the arithmetic of a study before it runs"
    for part in getattr(trial.config.model, "parts", ()):
        check_shared(type(part).__module__)  # a trial has a process of its own
    folder = trial.folder(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = TrialSettings(config=trial.config, tests=trial.tests, processes=trial.processes)
        known = _known(folder)
        if known is not None:
            _check_same(folder, known, trial)
            wanted = wanted.replace(tests=_united(known.tests, trial.tests))
        if wanted != known:
            text = json.dumps(wanted.model_dump(mode="json"), indent=1)
            write_whole(folder / TRIAL, text, is_shared=True)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DamagedTrialError(f"cannot write {folder}: {error.strerror}; remove it") from None
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}; choose another --root") from None
    return folder


def _known(folder: Path) -> TrialSettings | None:
    try:
        return read_stored(folder / TRIAL, TrialSettings)
    except RunError:
        return None


def _check_same(folder: Path, known: TrialSettings, trial: Trial) -> None:
    asked = _essence(trial.config, trial.processes)
    if _essence(known.config, known.processes) != asked:
        raise DamagedTrialError(
            f"{folder} contains a trial with other settings, although its name is a hash of "
            "them; it may have been edited. Remove it, or choose another --root"
        )


def _united(known: Iterable[Test], added: Iterable[Test]) -> tuple[Test, ...]:
    tests = {key_of_test(test): test for test in (*known, *added)}
    return tuple(tests.values())


def read_trial(folder: Path) -> TrialSettings:
    """Return the settings stored in a trial's folder.

    Raises:
        RunError: The folder is not a trial, or its settings are damaged.
    """
    found = read_stored(folder / TRIAL, TrialSettings)
    if found is None:
        raise RunError(f"{folder} is not a trial of a study: it contains no {TRIAL}")
    return found


def moved(begun: TrainConfig, config: TrainConfig) -> TrainConfig:
    """Return the settings of a started run, with paths and machine from `config`.

    The images may have moved and the machine may differ.
    """
    data = begun.data.replace(root=config.data.root, workers=config.data.workers)
    return begun.replace(runtime=config.runtime, data=data)


def plan_trials(study: Study) -> list[Trial]:
    """Return all trials of a study, seed by seed, so that every design starts early."""
    return [
        Trial(
            design,
            settings.replace(
                model=design.model,
                weights=design.weights or settings.weights,
                seed=seed,
                keep="last",
            ),
            study.tests,
            study.processes or 1,
        )
        for seed in study.seeds
        for settings in study.settings
        for design in study.designs
    ]


def key_of_test(test: Test) -> str:
    """Return the file name of a test's results: its name and a hash of its settings."""
    values = test.model_dump(mode="json", exclude={"name"})
    if test.data is not None and _is_known(test.data):
        values["data"] |= {"root": None, "workers": None}
    return f"{test.name}-{_hash(values)}"


def _essence(config: TrainConfig, processes: int) -> dict[str, Any]:
    """Return the settings that determine the results of a run.

    Defaults are left out, so that settings added later do not change keys.
    """
    values = config.model_dump(
        mode="json", exclude={"recipe", "checkpoint_minutes"}, exclude_defaults=True
    )
    if config.data.name == "folder":  # the keys of earlier versions meant the split by hash
        values["data"].pop("val_split", None)
        if config.data.val_split == "class":
            values["data"]["val_split"] = "class"
    for part in values.get("model", {}).values():
        if isinstance(part, dict):  # of a registered part, where it is registered has no effect
            part.pop(PLUGIN, None)
    if values.get("runtime", {}).pop("layout", "") == "contiguous":
        values["runtime"]["channels_last"] = False  # its name in the keys of earlier versions
    for group, names in _WITHOUT_EFFECT.items():
        values[group] = {k: v for k, v in values.get(group, {}).items() if k not in names}
    if is_settled(config.runtime):
        values["runtime"] |= {"device": kind_of(config.runtime.device)}
        values["runtime"].pop("timeout_minutes", None)
    else:
        for name in _ONCE_LEFT_OUT:
            values["runtime"].pop(name, None)
    if processes > 1:
        values["processes"] = processes
    if _is_known(config.data):
        values["data"].pop("root", None)
    return values


def _is_known(data: DataConfig) -> bool:
    """Return whether a data set's name identifies its images, wherever they are stored."""
    # ImageNet may have 1,000 classes, 5,000 or fewer
    others = ("folder", "shards", "table", "masks", "imagenet", *BOX_SETS, *SIGNAL_NAMES)
    return data.name not in others


def _hash(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
