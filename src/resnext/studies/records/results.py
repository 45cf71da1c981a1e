"""The results of a study's trials: one row for each design, data set and seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from resnext.claim import find_holder
from resnext.errors import RunError
from resnext.studies.records.cut import read_cut
from resnext.studies.records.metric import TOP1_ERROR, with_new_names
from resnext.studies.records.stored import (
    MAX_LOG_BYTES,
    Count,
    Percent,
    ShortText,
    keep_valid,
    read_lines,
    read_stored,
)
from resnext.studies.records.trial import ATTEMPTS, RESULT, RUN, TESTS, Trial, key_of_test
from resnext.studies.study import Design

State = Literal["missing", "running", "pruned", "failed", "done"]

_Size = Annotated[Count, Field(ge=1)]
_Kind = TypeVar("_Kind")


class TrialFigures(BaseModel):
    """Results of a finished trial, after the last epoch.

    Earlier versions wrote `top1_error`, `train_top1_error` and `best_top1_error`.

    Attributes:
        measure: Name of the task's measure, such as `top1_error` or `mean_iou`.
        value: It on the validation images after the last epoch; not selected in any way.
        top5_error: The same for the five best guesses, where there are more than five classes.
        loss: Validation loss after the last epoch.
        balanced_accuracy: Mean of the classes' validation accuracies after the last epoch, in
            percent; None if not recorded.
        train_value: The task's measure of the augmented training images, over the last epoch; None
            for detection, whose measure of them is not in percent.
        train_loss: Training loss over the last epoch.
        best_value: The best `value` of all epochs; optimistic, because it is selected.
        parameters: Trainable parameters of the network.
        macs: Multiply-adds for one image.
        activations: Outputs of convolutions and linear layers for one image.
        epochs: Epochs trained.
        seconds: Time spent in training steps; not comparable if trials shared a machine.
        machine: Processor or GPU, and threads; several if other machines resumed the trial.
        precision: Arithmetic of training.
        instructions: Instruction set that torch used on the processor.
        threads: CPU threads of one process; 0 if not recorded.
        processes: Processes that trained together; 0 if not recorded.
        torch: Its version.
        problems: What went wrong in training, by the names of `training.health`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    measure: ShortText = TOP1_ERROR
    value: Percent
    top5_error: Percent | None = None
    loss: float
    train_value: Percent | None
    train_loss: float
    best_value: Percent
    parameters: _Size
    macs: _Size
    activations: _Size
    epochs: Count
    seconds: Annotated[float, Field(ge=0, lt=1e12)]
    machine: ShortText = ""
    precision: ShortText = ""
    instructions: ShortText = ""
    threads: Count = 0
    processes: Count = 0
    torch: ShortText = ""
    problems: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ()
    balanced_accuracy: Percent | None = None

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, values: Any) -> Any:
        return with_new_names(values)


class TestFigures(BaseModel):
    """Results of a test: `value` is the task's measure, named by `measure`."""

    __test__ = False  # not a test of pytest's

    model_config = ConfigDict(frozen=True, extra="ignore")

    measure: ShortText = TOP1_ERROR
    value: Percent
    top5_error: Percent | None = None

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, values: Any) -> Any:
        return with_new_names(values)


class Attempt(BaseModel):
    """How an unfinished attempt ended; see `Row.attempts`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reason: ShortText
    detail: Annotated[str, Field(max_length=10_000)] = ""
    is_last: bool = False
    log: Annotated[str, Field(max_length=10_000)] = ""


@dataclass(frozen=True)
class Row:
    """One trial of a study and its state.

    Attributes:
        trial: Design, settings, seed.
        folder: The trial's folder; its run is `folder / "run"`.
        state: `failed` after its last attempt, `pruned` when halving stopped it.
        figures: Of a finished trial.
        tests: Value and top-5 error in percent of each finished test, by name.
        attempts: How the unfinished attempts ended, oldest first: dicts with `reason` (crashed,
            killed, out of memory, diverged, refused), `detail` and `is_last`, set if the study gave
            up on the trial.
        damage: One sentence for each damaged file of the trial.
    """

    trial: Trial
    folder: Path
    state: State
    figures: TrialFigures | None = None
    tests: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    attempts: tuple[dict[str, Any], ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def design(self) -> Design:
        """The design of the trial."""
        return self.trial.design

    @property
    def run(self) -> Path:
        """The run folder, with its metrics and weights."""
        return self.folder / RUN

    def value(self, test: str = "") -> float | None:
        """Return the task's measure of the validation or a test."""
        if test:
            return self.tests[test][0] if test in self.tests else None
        return None if self.figures is None else self.figures.value


def num_stopped(rows: Iterable[Row], data: str) -> Counter[str]:
    """Count the trials on a data set that halving stopped, by label.

    They were stopped because of their errors, so the finished seeds are a biased selection: their
    mean is too low, and no statistical test is valid.
    """
    return Counter(
        row.design.label for row in rows if row.state == "pruned" and row.trial.data == data
    )


def read_row(trial: Trial, root: Path, study: str = "") -> Row:
    """Read the state and results of one trial.

    A damaged file counts as missing, so that the next run writes it again.

    Args:
        trial: The trial.
        root: The folder with the pool of trials.
        study: Name of the study for which halving may have stopped it.
    """
    folder = trial.folder(root)
    damage: list[str] = []
    attempts = _attempts(folder / ATTEMPTS, damage)
    result = _read(folder / RESULT, TrialFigures, damage)
    tests = {}
    for test in trial.tests if result is not None else ():
        figures = _read(folder / TESTS / f"{key_of_test(test)}.json", TestFigures, damage)
        if figures is not None:
            tests[test.name] = (figures.value, figures.top5_error)
    is_done = result is not None and len(tests) == len(trial.tests)
    state = "done" if is_done else _state_of_open(folder, attempts, study, damage)
    return Row(trial, folder, state, result, tests, attempts, tuple(damage))


def _state_of_open(
    folder: Path, attempts: tuple[dict[str, Any], ...], study: str, damage: list[str]
) -> State:
    """Return the state of a trial that is not done; a running process takes precedence."""
    if not folder.is_dir():
        return "missing"
    if find_holder(folder) is not None:
        return "running"
    try:
        if study and read_cut(folder, study) is not None:
            return "pruned"
    except RunError as error:
        damage.append(str(error))
    return "failed" if attempts and attempts[-1].get("is_last") else "missing"


def _read(file: Path, kind: type[_Kind], damage: list[str]) -> _Kind | None:
    try:
        return read_stored(file, kind)
    except RunError as error:
        damage.append(str(error))
        return None


def _attempts(file: Path, damage: list[str]) -> tuple[dict[str, Any], ...]:
    """Return the lines of a record, without those truncated by a full disk or a kill."""
    try:
        rows, num_damaged = read_lines(file, MAX_LOG_BYTES)
    except RunError as error:
        damage.append(str(error))
        return ()
    attempts = keep_valid(rows, Attempt)
    num_damaged += len(rows) - len(attempts)
    if num_damaged:
        damage.append(f"{file}: skipped {num_damaged} unreadable lines")
    return tuple(attempt.model_dump() for attempt in attempts)
