"""The results of a finished run: read from its log, or measured by a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from resnext.complexity.count import count
from resnext.data.set_names import SIGNAL_NAMES
from resnext.errors import RunError
from resnext.runs.config import TrainConfig
from resnext.runs.folder import METRICS, open_run
from resnext.runs.health import judge_run
from resnext.studies.records.epoch_log import epochs_of, train_key
from resnext.studies.records.machines import read_machines
from resnext.studies.records.results import TrialFigures
from resnext.studies.records.stored import read_lines
from resnext.studies.records.trial import RUN, moved
from resnext.studies.study import Test
from resnext.tasks.kinds import task_kind
from resnext.weights.source import open_weights


def figures_of(folder: Path) -> TrialFigures:
    """Read the results of a trial's last epoch, and count the network's cost.

    Raises:
        RunError: The run or its log is damaged.
    """
    run = folder / RUN
    config = open_run(run)
    kind = task_kind(config.task)
    measure, training = kind.measure, train_key(kind)
    rows = [row for row in read_lines(run / METRICS)[0] if epochs_of([row], config.task)]
    values = [row[measure.key] for row in rows]
    cost = count(config.model, _input_size(run, config))
    last = rows[-1] if rows else {}
    try:
        return TrialFigures(
            **{name: last.get(name) for name in _LAST},
            measure=measure.key,
            value=last.get(measure.key),
            train_value=None if training is None else last.get(training),
            best_value=min(values, key=measure.cost, default=None),
            parameters=cost.parameters,
            macs=cost.macs,
            activations=cost.activations,
            epochs=last.get("epoch"),
            problems=_problems(rows, config),
            **_computed(folder),
        )
    except ValidationError:
        raise RunError(
            f"{run / METRICS} is damaged: it lacks the results of the last epoch; remove "
            f"{folder} to train the trial again"
        ) from None


def _input_size(run: Path, config: TrainConfig) -> int | tuple[int, ...] | None:
    """Return the side of the images, or the sides of signals, that the network was trained on."""
    if config.data.name in SIGNAL_NAMES and (signal := open_weights(run).card.signal) is not None:
        return signal.sides
    return config.data.image_size_px


def _problems(rows: Sequence[dict[str, Any]], config: TrainConfig) -> tuple[str, ...]:
    """Return the problems found in training; incomplete lines are skipped."""
    needed = ("guess_error", "train_loss", "loss")
    whole = [row for row in rows if all(isinstance(row.get(n), int | float) for n in needed)]
    return tuple(finding.kind for finding in judge_run(whole, config))


def _computed(folder: Path) -> dict[str, Any]:
    """Describe all machines on which a trial was computed."""
    machines = read_machines(folder)
    names = ("precision", "instructions", "torch")
    values = {name: dict.fromkeys(str(getattr(one, name)) for one in machines) for name in names}
    return {
        "machine": _MORE.join(dict.fromkeys(map(str, machines))),
        **{name: _MORE.join(values) for name, values in values.items()},
        "threads": machines[-1].threads if machines else 0,
        "processes": machines[-1].processes if machines else 0,
    }


_MORE = ", then "


_LAST = ("top5_error", "loss", "train_loss", "seconds", "balanced_accuracy")


def run_test(run: Path, config: TrainConfig, test: Test) -> dict[str, Any]:
    """Evaluate a run's weights as a test specifies.

    Args:
        run: The run folder.
        config: Where and how to evaluate; the images may have moved since the run started.
        test: The evaluation.
    """
    import torch

    from resnext.evaluation.run import EvaluationOptions, measure
    from resnext.evaluation.target import Protocol
    from resnext.runs.runtime import Runtime, resolve_device

    own = moved(open_run(run), config)
    if config.runtime.threads is not None:
        torch.set_num_threads(config.runtime.threads)
    view = test.view or (own.view if test.data is None else None)
    protocol = Protocol(data=test.data or own.data, view=view, all_classes=test.all_classes)
    runtime = Runtime(resolve_device(config.runtime.device), torch.float32)
    figures = measure(
        run, protocol, runtime, EvaluationOptions(workers=config.data.workers)
    ).figures
    key = task_kind(own.task).measure.key
    kept = (
        *("top5_error", "balanced_accuracy", "macro_f1", "loss"),
        *("num_images", "view", "data"),
    )
    found = {"measure": key, "value": figures[key]}
    return found | {name: figures[name] for name in kept if name in figures}
