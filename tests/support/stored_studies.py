"""The studies under docs/results, read from their stored rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from made_study import made_figures, made_row

from resnext.api.study_file import open_study
from resnext.data.config import DataConfig
from resnext.recipes.cardinality import residual, table3, table4
from resnext.recipes.study_scale import Choice
from resnext.studies.records.metric import with_new_names
from resnext.studies.records.results import Row
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Study

RESULTS = Path(__file__).parents[2] / "docs" / "results"

_FASHION = Choice("small", (DataConfig(name="fashion-mnist"),))
_CIFAR = DataConfig(name="folder", root=Path("cifar10-jpeg-q75"), image_size_px=32)


def stored_study(name: str) -> Study:
    """Return the study whose rows lie in a folder of docs/results."""
    if name == "table3-fashion-mnist":
        return table3(_FASHION)
    if name == "residual-fashion-mnist":
        return residual(_FASHION)
    if name == "table4-cifar10":
        return table4(Choice("small", (_CIFAR,), seeds=(0, 1, 2, 3, 4)))
    return open_study(str(RESULTS / name / "study.yaml"), Choice())


def stored_rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of results.csv."""
    with (RESULTS / name / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows_of(name: str, study: Study) -> list[Row]:
    """Return the stored rows as the trials of a study."""
    stored = {(row["design"], row["data"], int(row["seed"])): row for row in stored_rows(name)}
    rows = []
    for trial in plan_trials(study):
        row = stored.pop((trial.design.label, trial.data, trial.seed))
        columns = ("top1_error", "top5_error", "train_top1_error", "best_top1_error")
        errors = with_new_names({name: float(row[name]) for name in columns})
        figures = made_figures(trial, 0.0, **errors)
        rows.append(made_row(trial, None, state=row["state"], figures=figures))
    assert not stored
    return rows
