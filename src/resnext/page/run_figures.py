"""One run as shown on the page: epochs, settings and metrics."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from typing import Any

from resnext.errors import ConfigError, RunError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.page.run_list import EVALUATION, RunList
from resnext.runs.folder import CONFIG, METRICS
from resnext.tasks.kinds import DEFAULT_TASK, TaskKind, task_kind, task_names
from resnext.tasks.measure import Measure
from resnext.untrusted.parse import parse_json, parse_yaml
from resnext.untrusted.text import printable

Row = dict[str, float]

MAX_EPOCHS = 10_000
_MAX_LINES = 1_000_000
_MAX_LINE_CHARS = 2**16
_MAX_VALUE_CHARS = 200
_MAX_NUMBER = 1e12  # larger values make a useless plot


@dataclass(frozen=True)
class RunFigures:
    """The data of one run.

    Attributes:
        name: Path of its folder, relative to the folder shown.
        epochs: Number, losses, and errors in percent of each logged epoch. Missing and non-finite
            values are left out.
        settings: Its settings, flattened to dotted names.
        network: Name of its network, or the name in its settings.
        kind: Its task.
        evaluated: The task's measure in its evaluation, if there is one.
        problems: What could not be read, and why.
    """

    name: str
    epochs: tuple[Row, ...]
    settings: dict[str, str]
    network: str
    kind: TaskKind
    evaluated: float | None
    problems: tuple[str, ...]

    @property
    def best(self) -> Row | None:
        """The epoch with the best measure; ties are broken by the lowest loss."""
        measure = self.kind.measure
        known = [row for row in self.epochs if measure.key in row]
        return min(
            known, key=lambda row: measure.score(row[measure.key], row.get("loss")), default=None
        )


def read_run(runs: RunList, name: str) -> RunFigures:
    """Read the data of a run so far; damaged files are reported in `problems`."""
    problems: list[str] = []
    epochs: tuple[Row, ...] = ()
    settings: dict[str, Any] = {}
    evaluated, kind = None, task_kind(DEFAULT_TASK)
    try:
        epochs = _epochs(runs.read(name, METRICS)) if runs.has(name, METRICS) else ()
    except (RunError, ValueError) as problem:
        problems.append(_told(name, METRICS, problem))
    try:
        settings = _settings(runs.read(name, CONFIG))
        kind = _kind(settings)
    except (RunError, ValueError) as problem:
        problems.append(_told(name, CONFIG, problem))
    try:
        if runs.has(name, EVALUATION):
            evaluated = _evaluated(runs.read(name, EVALUATION), kind.measure)
    except (RunError, ValueError) as problem:
        problems.append(_told(name, EVALUATION, problem))
    flat = dict(_flatten(settings))
    network = _network(settings)
    return RunFigures(printable(name), epochs, flat, network, kind, evaluated, tuple(problems))


def differing_settings(runs: list[RunFigures]) -> list[tuple[str, list[str]]]:
    """Return the settings that differ between runs, with the value of each run."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    rows = [(key, [run.settings.get(key, "–") for run in runs]) for key in keys]  # noqa: RUF001 - a dash, shown
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _epochs(text: str) -> tuple[Row, ...]:
    num_lines = text.count("\n")
    if num_lines > _MAX_LINES:
        raise ValueError(f"holds more than {_MAX_LINES:,} lines")
    epochs: list[Row] = []
    for line in text.split("\n")[:num_lines]:  # the last line may be incomplete
        row = _epoch(line)
        if row is not None:
            epochs.append(row)
        if len(epochs) > MAX_EPOCHS:
            raise ValueError(f"holds more than {MAX_EPOCHS:,} epochs")
    return tuple(epochs)


def _epoch(line: str) -> Row | None:
    """Return the numbers of an epoch's line."""
    if len(line) > _MAX_LINE_CHARS:
        raise ValueError(f"has a line of more than {_MAX_LINE_CHARS:,} characters")
    values = parse_json(line)
    if not isinstance(values, dict):
        raise ValueError("has a line that is not a JSON object")
    number = _number(values.get("epoch"))
    if values.get("kind") != "epoch" or number is None:
        return None
    found = {key: _number(values.get(key)) for key in _curves()}
    return {"epoch": number} | {key: value for key, value in found.items() if value is not None}


def _settings(text: str) -> dict[str, Any]:
    values = parse_yaml(text)
    if not isinstance(values, dict):
        raise ValueError("contains no settings")
    return values


def _evaluated(text: str, measure: Measure) -> float:
    values = parse_json(text)
    value = _number(values.get(measure.key)) if isinstance(values, dict) else None
    if value is None:
        raise ValueError(f"does not contain {measure.key}")
    return value


def _kind(settings: dict[str, Any]) -> TaskKind:
    """Return the task of a run; classification if its settings name none."""
    name = settings.get("task")
    return task_kind(name if name in task_names() else DEFAULT_TASK)


def _curves() -> tuple[str, ...]:
    kinds = map(task_kind, task_names())
    measures = ((kind.measure.key, kind.train_measure.key) for kind in kinds)
    return ("loss", "train_loss", *chain.from_iterable(measures))


def _network(settings: dict[str, Any]) -> str:
    model = settings.get("model")
    if not isinstance(model, dict):
        return ""
    try:
        name = name_of(ResNeXtConfig(**model))
    except (ConfigError, TypeError, ValueError, OverflowError):
        # a baseline, or the settings of another version
        name = str(model.get("family", ""))
    return _cut(name)


def _flatten(values: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            flat += _flatten(value, f"{before}{key}.")
        else:
            flat.append((_cut(f"{before}{key}"), _cut(json.dumps(value, ensure_ascii=False))))
    return flat


def _cut(text: str) -> str:
    """Return a text for display: on one line, and not too long."""
    cut = text if len(text) <= _MAX_VALUE_CHARS else f"{text[:_MAX_VALUE_CHARS]}…"
    return printable(cut)


def _number(value: Any) -> float | None:
    """Return a number that can be plotted, or None for NaN, infinity, booleans and huge values."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= _MAX_NUMBER else None


def _told(name: str, file: str, problem: Exception) -> str:
    if isinstance(problem, RunError):
        return str(problem)
    return _cut(f"{name}: {file} is damaged: it {str(problem) or 'is empty'}")
