"""One run as the page shows it: its epochs, its settings, its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from resnext.errors import ConfigError, RunError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.serving.page.run_list import EVALUATION, RunList
from resnext.training.run_folder import CONFIG, METRICS

Row = dict[str, Any]


@dataclass(frozen=True)
class RunFigures:
    """What is known of one run.

    Attributes:
        name: Its folder below the one that is shown.
        epochs: The lines of its log that tell of epochs.
        settings: Its settings, with dots into groups.
        network: Name of its network, or what its settings call it.
        evaluated_error: Top-1 error in percent of its evaluation, if there was one.
        problems: What could not be read, and why.
    """

    name: str
    epochs: tuple[Row, ...]
    settings: dict[str, str]
    network: str
    evaluated_error: float | None
    problems: tuple[str, ...]

    @property
    def best(self) -> Row | None:
        """The epoch with the lowest validation error."""
        known = [row for row in self.epochs if _number(row.get("top1_error")) is not None]
        return min(known, key=lambda row: float(row["top1_error"]), default=None)


def read_run(runs: RunList, name: str) -> RunFigures:
    """Read what a run has so far; what is damaged is told instead of shown."""
    problems: list[str] = []
    epochs: tuple[Row, ...] = ()
    settings: dict[str, Any] = {}
    error = None
    try:
        epochs = _epochs(runs.read(name, METRICS)) if runs.has(name, METRICS) else ()
    except (RunError, ValueError) as problem:
        problems.append(_told(name, METRICS, problem))
    try:
        settings = _settings(runs.read(name, CONFIG))
    except (RunError, ValueError, yaml.YAMLError) as problem:
        problems.append(_told(name, CONFIG, problem))
    try:
        if runs.has(name, EVALUATION):
            error = _number(json.loads(runs.read(name, EVALUATION))["top1_error"])
    except (RunError, ValueError, KeyError, TypeError) as problem:
        problems.append(_told(name, EVALUATION, problem))
    flat = dict(_flatten(settings))
    return RunFigures(name, epochs, flat, _network(settings), error, tuple(problems))


def differing_settings(runs: list[RunFigures]) -> list[tuple[str, list[str]]]:
    """Return the settings in which runs differ, with the value of each run."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    rows = [(key, [run.settings.get(key, "–") for run in runs]) for key in keys]  # noqa: RUF001 - a dash, shown
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _epochs(text: str) -> tuple[Row, ...]:
    lines = text.split("\n")[:-1]  # the last one may be half written
    rows = [json.loads(line) for line in lines]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line is no JSON object")
    return tuple(
        row for row in rows if row.get("kind") == "epoch" and _number(row.get("epoch")) is not None
    )


def _settings(text: str) -> dict[str, Any]:
    values = yaml.safe_load(text)
    if not isinstance(values, dict):
        raise ValueError("it holds no settings")
    return values


def _network(settings: dict[str, Any]) -> str:
    model = settings.get("model")
    try:
        return name_of(ResNeXtConfig(**model)) if isinstance(model, dict) else ""
    except (ConfigError, TypeError):  # a baseline, or settings of another version
        return str(model.get("family", "")) if isinstance(model, dict) else ""


def _flatten(values: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            flat += _flatten(value, f"{before}{key}.")
        else:
            flat.append((f"{before}{key}", json.dumps(value, default=str, ensure_ascii=False)))
    return flat


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _told(name: str, file: str, problem: Exception) -> str:
    if isinstance(problem, RunError):
        return str(problem)
    return f"{name}: {file} is damaged: {str(problem).splitlines()[0] if str(problem) else 'empty'}"
