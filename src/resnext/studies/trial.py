"""One trial: a design, trained once on one data set with one seed, in a folder of its own.

ROOT/trials/KEY/
  trial.json     what to train, and which tests follow
  run/           an ordinary run folder
  result.json    the figures, once training has ended
  tests/*.json   the figures of each test
  attempts.jsonl how each attempt that did not finish ended
  log.txt        what the attempts printed

Studies share this pool: the key is a hash of everything that decides the outcome, so a trial
that two studies ask for is trained once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from resnext.data.config import DataConfig
from resnext.errors import RunError
from resnext.files import write_whole
from resnext.model.names import name_of
from resnext.studies.study import Design, Study, Test
from resnext.training.config import TrainConfig

TRIAL, RUN, RESULT, TESTS = "trial.json", "run", "result.json", "tests"
ATTEMPTS, LOG = "attempts.jsonl", "log.txt"

# Settings that say where and how conveniently a trial runs, not what comes out; and what a
# network takes from its data.
_WITHOUT_EFFECT = {
    "model": {"num_classes", "in_channels"},
    "runtime": {"device", "threads", "compile", "channels_last"},
    "data": {"workers"},
}


@dataclass(frozen=True)
class Trial:
    """What one trial trains and evaluates.

    Attributes:
        design: The design that it stands for in the study.
        config: All settings of the run.
        tests: Evaluations after training.
    """

    design: Design
    config: TrainConfig
    tests: tuple[Test, ...] = ()

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
        """Name of the trial's folder: readable, and unique by a hash of the settings."""
        return (
            f"{name_of(self.config.model)}-{self.data}-s{self.seed}-{_hash(_essence(self.config))}"
        )

    def folder(self, root: Path) -> Path:
        """Return the trial's folder in the pool of a root."""
        return root / "trials" / self.key


def create_trial(trial: Trial, root: Path) -> Path:
    """Make a trial's folder unless it exists, and say in it what to train.

    Tests that another study did not ask for are added. Where the images lie and what else has no
    effect on the outcome is said anew.

    Raises:
        RunError: The folder cannot be written, or holds other settings.
    """
    folder = trial.folder(root)
    tests = {key_of_test(test): test for test in trial.tests}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / TRIAL).exists():
            config, known = read_trial(folder)
            if _essence(config) != _essence(trial.config):
                raise RunError(
                    f"{folder} holds a trial of other settings, though its name is a hash of "
                    "them; was it edited? Remove it, or choose another --root"
                )
            tests = {key_of_test(test): test for test in known} | tests
            if (config, known) == (trial.config, tuple(tests.values())):
                return folder
        values = {
            "config": trial.config.model_dump(mode="json"),
            "tests": [test.model_dump(mode="json") for test in tests.values()],
        }
        write_whole(folder / TRIAL, json.dumps(values, indent=1), is_shared=True)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}; choose another --root") from None
    return folder


def read_trial(folder: Path) -> tuple[TrainConfig, tuple[Test, ...]]:
    """Return what a trial's folder says to train, and the tests that follow.

    Raises:
        RunError: The folder is no trial.
    """
    try:
        values = json.loads((folder / TRIAL).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} is not a trial of a study: {error}") from None
    return TrainConfig(**values["config"]), tuple(Test(**test) for test in values["tests"])


def moved(begun: TrainConfig, config: TrainConfig) -> TrainConfig:
    """Return the settings of a run that was begun, for going on where `config` says.

    The images may lie elsewhere by now, and the machine be another one.
    """
    data = begun.data.replace(root=config.data.root, workers=config.data.workers)
    return begun.replace(runtime=config.runtime, data=data)


def plan_trials(study: Study) -> list[Trial]:
    """Return all trials of a study, one seed after the other, so that every design comes early."""
    return [
        Trial(
            design,
            settings.replace(model=design.model, seed=seed, keep="last"),
            study.tests,
        )
        for seed in study.seeds
        for settings in study.settings
        for design in study.designs
    ]


def key_of_test(test: Test) -> str:
    """Name the file of a test's figures: its name, and a hash of what is evaluated."""
    values = test.model_dump(mode="json", exclude={"name"})
    if test.data is not None and _is_known(test.data):
        values["data"] |= {"root": None, "workers": None}
    return f"{test.name}-{_hash(values)}"


def _essence(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that decide what comes out of a run.

    Defaults are left out, so that a setting that is added later changes no key.
    """
    values = config.model_dump(
        mode="json", exclude={"recipe", "checkpoint_minutes"}, exclude_defaults=True
    )
    for group, names in _WITHOUT_EFFECT.items():
        values[group] = {k: v for k, v in values.get(group, {}).items() if k not in names}
    if _is_known(config.data):
        values["data"].pop("root", None)
    return values


def _is_known(data: DataConfig) -> bool:
    """Tell whether a data set's name says which images they are, wherever they lie."""
    return data.name not in ("folder", "shards", "imagenet")  # of 1,000 classes, 5,000 or fewer


def _hash(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]
