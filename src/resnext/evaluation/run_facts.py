"""The summary of a run: network, recipe, images, error, problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnext.durations import duration_text
from resnext.errors import ResNeXtError
from resnext.model.names import name_of
from resnext.runs.config import TrainConfig
from resnext.runs.data import CLASSES
from resnext.runs.folder import CONFIG, OPENING, read_config, read_if_whole
from resnext.runs.health import Finding, judge_run
from resnext.runs.kept_epoch import kept_epoch
from resnext.tasks.kinds import TaskKind, task_kind
from resnext.tasks.measure import Measure

_MAX_LINES = 50

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RunFacts:
    """The top of a run's report.

    Attributes:
        config: The run's settings.
        facts: Headings and texts.
        findings: Problems in training; empty if there are none.
        praise: Problems that were not found; empty if there are problems, or the log is
            insufficient.
        opening: The summary shown before training: headings and texts.
    """

    config: TrainConfig
    facts: list[tuple[str, str]]
    findings: list[Finding]
    praise: str
    opening: list[tuple[str, str]]


def read_facts(run: Path, epochs: Rows, figures: Mapping[str, Any] | None) -> RunFacts | None:
    """Collect the facts about a run.

    Args:
        run: The run folder.
        epochs: The epochs of its log.
        figures: Metrics of the evaluation, if evaluated.

    Returns:
        The facts; None for a weight file, or a run whose settings cannot be read.
    """
    if not (run / CONFIG).is_file():
        return None
    try:
        config = read_config(run)
    except ResNeXtError:
        return None
    kind = task_kind(config.task)
    opening = read_if_whole(run / OPENING, dict) or {}
    facts = {
        "network": name_of(config.model),
        "recipe": config.recipe or "none",
        "seed": str(config.seed),
        "training": _training(config, epochs),
        "images": _images(run, opening.get("num_images"), figures),
        kind.outputs: f"{config.model.num_classes:,}",
        "kept weights": _kept(config, epochs),
        kind.measure.label: _measured(kind.measure, config, epochs, figures),
        "guessing": _guess(kind, epochs),
    }
    findings = judge_run(epochs, config)
    return RunFacts(
        config,
        [(name, text) for name, text in facts.items() if text],
        findings,
        "" if findings else _praise(config, epochs),
        _lines(opening.get("lines")),
    )


def _praise(config: TrainConfig, epochs: Rows) -> str:
    if not any(task_kind(config.task).guess_key in row for row in epochs):
        return ""
    if epochs[-1]["epoch"] < config.schedule.epochs:
        return "No problems in the epochs so far."
    found = "No problems in training: it did not diverge, and it is better than guessing"
    if config.augment.mixup or config.augment.cutmix:  # no error of plain training images
        return f"{found}. Overfitting is not checked when images are mixed."
    return f"{found} and does not overfit strongly."


def _training(config: TrainConfig, epochs: Rows) -> str:
    planned = config.schedule.epochs
    if not epochs:
        return f"{planned} epochs planned"
    num, seconds = epochs[-1]["epoch"], epochs[-1].get("seconds")
    text = f"{num} epochs" if num == planned else f"{num} of {planned} epochs"
    if not isinstance(seconds, int | float):
        return text
    return f"{text} in {duration_text(seconds)}, {duration_text(seconds / num)} each"


def _images(run: Path, num_images: object, figures: Mapping[str, Any] | None) -> str:
    if isinstance(num_images, dict) and all(type(num) is int for num in num_images.values()):
        return ", ".join(f"{num:,} {split}" for split, num in num_images.items())
    counts = read_if_whole(run / CLASSES, dict) or {}  # of runs that did not record more
    parts = []
    if counts and all(type(num) is int for num in counts.values()):
        parts.append(f"{sum(counts.values()):,} train")
    if figures is not None:
        parts.append(f"{figures['num_images']:,} evaluated")
    return ", ".join(parts)


def _kept(config: TrainConfig, epochs: Rows) -> str:
    if not epochs:
        return ""
    measure = task_kind(config.task).measure
    best = "highest" if measure.is_higher_better else "lowest"
    rule = "the last" if config.keep == "last" else f"the {best} {measure.label} in validation"
    return f"epoch {kept_epoch(config, epochs)['epoch']} ({rule})"


def _measured(
    measure: Measure, config: TrainConfig, epochs: Rows, figures: Mapping[str, Any] | None
) -> str:
    if figures is not None:
        return measure.write(figures[measure.key])
    if not epochs:
        return ""
    return f"{measure.write(kept_epoch(config, epochs)[measure.key])} during training"


def _guess(kind: TaskKind, epochs: Rows) -> str:
    known = [row[kind.guess_key] for row in epochs if row.get(kind.guess_key) is not None]
    return f"{kind.measure.write(known[-1])}, by {kind.guess}" if known else ""


def _lines(lines: object) -> list[tuple[str, str]]:
    """Return the lines that are a heading and a text; the file may be untrusted."""
    if not isinstance(lines, list):
        return []
    return [
        (line[0], line[1])
        for line in lines[:_MAX_LINES]
        if isinstance(line, list) and len(line) == 2 and all(isinstance(part, str) for part in line)
    ]
