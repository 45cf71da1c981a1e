"""How the trials of a study were run: machines, versions, time, and what did not finish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from resnext.errors import RunError
from resnext.runs.folder import ENVIRONMENT
from resnext.studies.records.arithmetic import describe_arithmetic
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.records.stored import ShortText, read_stored
from resnext.studies.study import Study, claims_of

_MAX_TROUBLES = 50


@dataclass(frozen=True)
class Trouble:
    """A trial that did not finish, with its last failed attempt.

    Attributes:
        trial: Design, data set and seed.
        state: State of the trial.
        reason: How its last attempt ended.
        detail: The last line that the attempt printed.
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
        machines: Each processor or GPU, with its number of trials.
        precisions: Arithmetic of training.
        versions: Each set of versions, with its number of trials.
        hours: Total time of all trials in training steps.
        troubles: The first of the trials that did not finish.
        num_troubles: Number of trials that did not finish.
        num_repeated: Finished trials that needed more than one attempt.
        settings: The settings of each data set as YAML, without the network and the seed.
        arithmetic: Device, precision, threads and processes of each data set's trials.
        is_repeatable: The results do not depend on how many trials ran at once.
        mixtures: Differences, other than the design, between trials that are compared.
        damage: Damaged files.
    """

    machines: dict[str, int]
    precisions: dict[str, int]
    versions: dict[str, int]
    hours: float
    troubles: list[Trouble]
    num_troubles: int
    num_repeated: int
    settings: list[str]
    arithmetic: list[str]
    is_repeatable: bool
    mixtures: list[str]
    damage: list[str]


def trace(study: Study, rows: Sequence[Row]) -> Provenance:
    """Collect how the trials of a study were run."""
    finished = [row for row in rows if row.figures]
    troubled = [row for row in rows if row.state != "done" and row.attempts]
    figures = [row.figures for row in finished if row.figures]
    return Provenance(
        machines=dict(Counter(f.machine for f in figures if f.machine)),
        precisions=dict(Counter(f.precision for f in figures if f.precision)),
        versions=dict(Counter(filter(None, (_versions(row.run) for row in finished)))),
        hours=sum(f.seconds for f in figures) / 3600,
        troubles=[_trouble(row) for row in troubled[:_MAX_TROUBLES]],
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
        arithmetic=describe_arithmetic(row.trial for row in rows),
        is_repeatable=all(f.threads for f in figures),
        mixtures=find_mixtures(study, rows),
        damage=[text for row in rows for text in row.damage][:_MAX_TROUBLES],
    )


_COMPUTED: dict[str, Callable[[TrialFigures], str]] = {
    "machines": lambda f: f.machine,
    "instructions": lambda f: f.instructions,
    "precisions": lambda f: f.precision,
    "versions of torch": lambda f: f.torch,
    "numbers of processes": lambda f: str(f.processes or ""),
}


def find_mixtures(study: Study, rows: Sequence[Row]) -> list[str]:
    """List what differs, apart from the design, between trials that are compared.

    Returns:
        A sentence for each data set and property; empty if all were computed the same way.
    """
    claimed = {label for claim in claims_of(study) for label in (claim.better, claim.than)}
    compared = claimed or {design.label for design in study.designs}
    found = []
    for data in dict.fromkeys(row.trial.data for row in rows):
        figures = [
            row.figures
            for row in rows
            if row.figures and row.trial.data == data and row.design.label in compared
        ]
        for name, of in _COMPUTED.items():
            counts = Counter(filter(None, map(of, figures)))
            if len(counts) > 1:
                text = "; ".join(f"{value} ({number})" for value, number in counts.most_common())
                found.append(f"trials on {data} ran with different {name}: {text}")
    return found


def _trouble(row: Row) -> Trouble:
    last = row.attempts[-1]
    return Trouble(
        f"{row.design.label}, {row.trial.data}, seed {row.trial.seed}",
        row.state,
        last["reason"],
        last.get("detail", ""),
        len(row.attempts),
    )


class _Environment(BaseModel):
    """The versions recorded in a run."""

    model_config = ConfigDict(extra="ignore")

    python: ShortText
    packages: dict[str, ShortText] = {}


def _versions(run: Path) -> str:
    """Return the versions that a run was trained with, if recorded."""
    try:
        found = read_stored(run / ENVIRONMENT, _Environment)
    except RunError:
        return ""
    if found is None:
        return ""
    packages = found.packages
    text = [f"{name} {packages[name]}" for name in ("resnext", "torch") if name in packages]
    return ", ".join([f"Python {found.python}", *text])
