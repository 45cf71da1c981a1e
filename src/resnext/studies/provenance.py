"""How the trials of a study were run: machines, versions, time, and what did not finish."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from resnext.studies.results import Row
from resnext.studies.study import Study
from resnext.training.run_folder import ENVIRONMENT

_MOST_TROUBLES = 50


@dataclass(frozen=True)
class Trouble:
    """A trial that has not finished after an attempt that ended badly.

    Attributes:
        trial: Design, data set and seed.
        state: Of the trial.
        reason: How its last attempt ended.
        detail: The last words of that attempt.
        num_attempts: Attempts so far.
    """

    trial: str
    state: str
    reason: str
    detail: str
    num_attempts: int


@dataclass(frozen=True)
class Provenance:
    """How the trials were run.

    Attributes:
        machines: Each processor or GPU, with the number of trials that ran on it.
        precisions: Arithmetic of training.
        versions: Each set of versions, with the number of trials that it trained.
        hours: Time in training steps, of all trials together.
        troubles: The first trials that did not finish.
        num_troubles: All of them.
        num_repeated: Finished trials that needed more than one attempt.
        settings: The settings of each data set as YAML, without the network and the seed.
    """

    machines: dict[str, int]
    precisions: dict[str, int]
    versions: dict[str, int]
    hours: float
    troubles: list[Trouble]
    num_troubles: int
    num_repeated: int
    settings: list[str]


def trace(study: Study, rows: Sequence[Row]) -> Provenance:
    """Collect how the trials were run."""
    finished = [row for row in rows if row.figures]
    troubled = [row for row in rows if row.state != "done" and row.attempts]
    figures = [row.figures for row in finished if row.figures]
    return Provenance(
        machines=dict(Counter(f.machine for f in figures if f.machine)),
        precisions=dict(Counter(f.precision for f in figures if f.precision)),
        versions=dict(Counter(filter(None, (_versions(row.run) for row in finished)))),
        hours=sum(f.seconds for f in figures) / 3600,
        troubles=[_trouble(row) for row in troubled[:_MOST_TROUBLES]],
        num_troubles=len(troubled),
        num_repeated=sum(row.state == "done" and bool(row.attempts) for row in rows),
        settings=[
            yaml.safe_dump(
                settings.model_dump(mode="json", exclude={"model", "seed"}),
                sort_keys=False,
                allow_unicode=True,
            )
            for settings in study.settings
        ],
    )


def _trouble(row: Row) -> Trouble:
    last = row.attempts[-1]
    return Trouble(
        f"{row.design.label}, {row.trial.data}, seed {row.trial.seed}",
        row.state,
        last["reason"],
        last.get("detail", ""),
        len(row.attempts),
    )


def _versions(run: Path) -> str:
    """Return the versions that a run was trained with, if it tells them."""
    try:
        values = json.loads((run / ENVIRONMENT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    packages = values["packages"]
    told = [f"{name} {packages[name]}" for name in ("resnext", "torch") if name in packages]
    return ", ".join([f"Python {values['python']}", *told])
