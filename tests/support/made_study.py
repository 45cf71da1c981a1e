"""Studies whose outcome is known: rows that no network was trained for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from resnext.complexity.count import count
from resnext.data.config import DataConfig
from resnext.model.names import config_from
from resnext.recipes.cardinality import table3, table4
from resnext.recipes.design_space import design_space
from resnext.recipes.study_scale import Choice
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.design_time import DesignTime, write_timing
from resnext.studies.records.results import Row, State, TrialFigures
from resnext.studies.records.trial import Trial, plan_trials
from resnext.studies.study import Design, PaperResult, Study

NO_FOLDER = Path("no-such-folder")


def made_study(labels: Sequence[str] = ("a", "b"), **changes: Any) -> Study:
    """Return a study of small networks of cardinality 1, 2, 4 ... under the given labels."""
    designs = tuple(
        Design(label=label, model=config_from(f"resnext_1-1_{2**number}x4d_cifar"))
        for number, label in enumerate(labels)
    )
    given = {"name": "made", "question": "?", "designs": designs, "settings": (TrainConfig(),)}
    return Study(**given | changes)


_cost = lru_cache(count)


def made_figures(trial: Trial, error: float, **changes: Any) -> TrialFigures:
    cost = _cost(trial.design.model)
    given: dict[str, Any] = {
        "measure": "top1_error",
        "value": error,
        "loss": error / 20,
        "train_value": error / 2,
        "train_loss": error / 40,
        "best_value": error,
        "parameters": cost.parameters,
        "macs": cost.macs,
        "activations": cost.activations,
        "epochs": trial.config.schedule.epochs,
        "seconds": 120.0,
        "machine": "made-up processor, 2 threads",
        "precision": "bfloat16",
    }
    values: dict[str, Any] = given | changes
    return TrialFigures.model_construct(**values)


def made_row(trial: Trial, error: float | None, root: Path = NO_FOLDER, **changes: Any) -> Row:
    """Return the row of a trial, done if it has an error."""
    state: State = "missing" if error is None else "done"
    figures = None if error is None else made_figures(trial, error)
    tests = {} if error is None else {test.name: (error, None) for test in trial.tests}
    given = {"state": state, "figures": figures, "tests": tests}
    return Row(trial, trial.folder(root), **given | changes)


def made_rows(study: Study, errors: Mapping[str, Sequence[float | None]]) -> list[Row]:
    """Return a row for each trial.

    Args:
        study: The study.
        errors: Of each label, the error in percent of each seed in the study's order.
    """
    return [
        made_row(trial, errors[trial.design.label][study.seeds.index(trial.seed)])
        for trial in plan_trials(study)
    ]


def simulated_rows(
    study: Study, means: dict[str, float], *, seed: int, shared: float, own: float
) -> list[Row]:
    """Draw normal errors with known effects.

    Args:
        study: The study.
        means: True error of each label, in percent.
        seed: Decides the draw.
        shared: Standard deviation of what the designs of one seed have in common.
        own: Standard deviation of what they have not.
    """
    draw = np.random.default_rng(seed)
    common = {key: draw.normal(0, shared) for key in study.seeds}
    return [
        made_row(trial, means[trial.design.label] + common[trial.seed] + draw.normal(0, own))
        for trial in plan_trials(study)
    ]


def write_curves(row: Row, seed: int = 0) -> None:
    """Write the log and the environment of a run that ends with the row's errors."""
    assert row.figures is not None
    draw = np.random.default_rng(seed)
    row.run.mkdir(parents=True, exist_ok=True)
    epochs = row.figures.epochs
    lines = []
    for epoch in range(1, epochs + 1):
        rest = 40 * np.exp(-4 * epoch / epochs) - 40 * np.exp(-4.0) + draw.normal(0, 0.2)
        rest = 0.0 if epoch == epochs else rest
        errors = {
            "top1_error": row.figures.value + rest,
            "train_top1_error": (row.figures.train_value or 0.0) + rest,
        }
        lines.append(json.dumps({"kind": "epoch", "step": epoch * 10, "epoch": epoch, **errors}))
    (row.run / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = {"python": "3.11.7", "packages": {"resnext": "0.1.0", "torch": "2.14.1"}}
    (row.run / "environment.json").write_text(json.dumps(environment), encoding="utf-8")


def made_times(study: Study) -> list[DesignTime]:
    """Return step times that grow with cardinality."""
    times = []
    for number, design in enumerate(study.designs):
        step, latency = 300 * 1.2**number, 12 * 1.02 ** (number * number)
        spread = (step, 0.97 * step, 1.06 * step, latency, 0.95 * latency, 1.1 * latency)
        times.append(DesignTime(design.label, *spread, 32, 32, 2, "made-up processor", 11))
    return times


def paper_table3(root: Path) -> tuple[Study, list[Row]]:
    """Return table 3 with errors about the paper's, a failed and a missing trial, and curves."""
    study = table3(Choice())
    effects = {figure.design: figure.value for figure in study.paper}
    rows = simulated_rows(study, effects, seed=1, shared=0.15, own=0.08)
    attempts = ({"reason": "killed", "detail": "signal 9"}, {"reason": "out of memory"})
    rows[-1] = made_row(rows[-1].trial, None, state="failed", attempts=attempts)
    rows[-2] = made_row(rows[-2].trial, None)
    rows = [made_row(r.trial, r.value(), root, state=r.state, attempts=r.attempts) for r in rows]
    for number, row in enumerate(rows):
        if row.figures:
            write_curves(row, number)
    folder = root / study.name
    folder.mkdir(parents=True)
    write_timing(folder, made_times(study))
    return study, rows


def small_table4() -> tuple[Study, list[Row]]:
    """Return table 4 at small scale on two data sets, beside the paper's figures."""
    sets = (DataConfig(name="cifar10"), DataConfig(name="fashion-mnist"))
    study = table4(Choice("small", sets)).replace(
        paper=(PaperResult(design="ResNet-101", data="imagenet", value=22.0, top5_error=6.0),)
    )
    means = {design.label: 9 - 0.4 * number for number, design in enumerate(study.designs)}
    return study, simulated_rows(study, means, seed=2, shared=0.2, own=0.15)


def made_design_space(points_apart: float = 1.0) -> tuple[Study, list[Row]]:
    """Return random designs, the aggregated ones better by some points."""
    study = design_space(Choice("small", (DataConfig(name="cifar10"),)))
    means = {
        design.label: 10 - points_apart * (design.row != "cardinality 1")
        for design in study.designs
    }
    return study, simulated_rows(study, means, seed=3, shared=0.0, own=0.6)
