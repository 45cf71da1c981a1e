"""What came out of a study's trials: one row for each design, data set and seed."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from resnext.studies.study import Design
from resnext.studies.trial import ATTEMPTS, RESULT, RUN, TESTS, Trial, key_of_test

State = Literal["missing", "running", "pruned", "failed", "done"]


class Figures(BaseModel):
    """What a finished trial measured. Errors are in percent, of the last epoch.

    Attributes:
        top1_error: Validation error after the last epoch, chosen by nothing.
        top5_error: The same for the five best guesses, where there are more than five classes.
        loss: Validation loss after the last epoch.
        train_top1_error: Error on the training images as they were varied, over the last epoch.
        train_loss: Training loss over the last epoch.
        best_top1_error: Lowest validation error of all epochs: too good, since chosen.
        parameters: Trainable numbers of the network as trained.
        macs: Multiply-adds on one image.
        activations: Outputs of convolutions and linear layers on one image.
        epochs: Epochs trained.
        seconds: Time in training steps; not comparable where trials shared a machine.
        machine: Processor or GPU, and threads.
        precision: Arithmetic of training.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    top1_error: float
    top5_error: float | None = None
    loss: float
    train_top1_error: float
    train_loss: float
    best_top1_error: float
    parameters: int
    macs: int
    activations: int
    epochs: int
    seconds: float
    machine: str = ""
    precision: str = ""


@dataclass(frozen=True)
class Row:
    """One trial of a study and how far it is.

    Attributes:
        trial: Design, settings, seed.
        folder: The trial's folder; its run is `folder / "run"`.
        state: `failed` after its last attempt, `pruned` when halving stopped it.
        figures: Of a finished trial.
        tests: Top-1 and top-5 error in percent of each finished test, by name.
        attempts: How the attempts that did not finish ended, oldest first: dicts with `reason`
            (crashed, killed, out of memory, diverged, refused), `detail` and `is_last`, which says
            that the study went on without the trial.
    """

    trial: Trial
    folder: Path
    state: State
    figures: Figures | None = None
    tests: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    attempts: tuple[dict[str, Any], ...] = ()

    @property
    def design(self) -> Design:
        """The design that the trial stands for."""
        return self.trial.design

    @property
    def run(self) -> Path:
        """The run folder, with its metrics and weights."""
        return self.folder / RUN

    def error(self, test: str = "") -> float | None:
        """Return the top-1 error in percent, of the validation or of a test."""
        if test:
            return self.tests[test][0] if test in self.tests else None
        return None if self.figures is None else self.figures.top1_error


def num_stopped(rows: Iterable[Row], data: str) -> Counter[str]:
    """Count, by label, the trials on a data set that halving stopped.

    They were stopped for their errors, so the seeds that finished are a selection: their mean
    is too low, and no test holds.
    """
    return Counter(
        row.design.label for row in rows if row.state == "pruned" and row.trial.data == data
    )


def read_row(trial: Trial, root: Path) -> Row:
    """Read how far one trial is; `running` and `failed` are for the runner to tell."""
    folder = trial.folder(root)
    attempts = tuple(_lines(folder / ATTEMPTS))
    result = _json(folder / RESULT)
    if result is None:
        return Row(trial, folder, "missing", attempts=attempts)
    tests = {}
    for test in trial.tests:
        figures = _json(folder / TESTS / f"{key_of_test(test)}.json")
        if figures is not None:
            tests[test.name] = (figures["top1_error"], figures.get("top5_error"))
    is_done = len(tests) == len(trial.tests)
    return Row(trial, folder, "done" if is_done else "missing", Figures(**result), tests, attempts)


def _json(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    assert isinstance(values, dict)
    return values


def _lines(file: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; those that a full disk or a kill cut off are left out."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.split("\n"):
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found
