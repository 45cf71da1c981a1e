"""The raw results of a study, one flat row per trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnext.model.config import backbone_of
from resnext.model.names import name_of
from resnext.studies.records.results import Row
from resnext.studies.study import Study
from resnext.tasks.kinds import task_kind
from resnext.untrusted.text import csv_table

_FIGURES = (
    *("parameters", "macs", "activations", "epochs", "seconds", "machine", "precision"),
    *("instructions", "threads", "processes", "torch", "balanced_accuracy"),
)


def trial_row(study: Study, row: Row) -> dict[str, Any]:
    """Return one trial as a flat row: its settings and its results."""
    model, figures = row.design.model, row.figures
    backbone = backbone_of(model)
    values: dict[str, Any] = {
        "design": row.design.label,
        "row": row.design.row,
        "column": row.design.column,
        "network": name_of(model),
        "cardinality": backbone.cardinality if backbone else None,
        "bottleneck_width": backbone.bottleneck_width if backbone else None,
        "depth": backbone.depth if backbone else None,
        "data": row.trial.data,
        "seed": row.trial.seed,
        "state": row.state,
        "reason": row.attempts[-1]["reason"] if row.attempts and row.state != "done" else None,
    }
    kind = task_kind(row.trial.config.task)
    named = {
        kind.measure.key: "value",
        "top5_error": "top5_error",
        "loss": "loss",
        kind.train_measure.key: "train_value",
        "train_loss": "train_loss",
        f"best_{kind.measure.key}": "best_value",
    }
    for column, name in named.items():
        values[column] = None if figures is None else getattr(figures, name)
    for name in _FIGURES:
        values[name] = None if figures is None else getattr(figures, name)
    values["problems"] = None if figures is None else ", ".join(figures.problems) or None
    for test in study.tests:
        value, top5 = row.tests.get(test.name, (None, None))
        values |= {f"{kind.measure.key}_{test.name}": value, f"top5_error_{test.name}": top5}
    return {**values, "key": row.trial.key}


def csv_text(study: Study, rows: Sequence[Row]) -> str:
    """Return all trials as CSV, one line each."""
    return csv_table([trial_row(study, row) for row in rows])
