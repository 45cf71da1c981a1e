"""The raw results of a study, one flat row per trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.studies.records.results import Row
from resnext.studies.study import Study
from resnext.untrusted.text import csv_table

_FIGURES = (
    *("top1_error", "top5_error", "loss", "train_top1_error", "train_loss", "best_top1_error"),
    *("parameters", "macs", "activations", "epochs", "seconds", "machine", "precision"),
    *("instructions", "threads", "processes", "torch", "balanced_accuracy"),
)


def trial_row(study: Study, row: Row) -> dict[str, Any]:
    """Return one trial as a flat row: its settings and its results."""
    model, figures = row.design.model, row.figures
    values: dict[str, Any] = {
        "design": row.design.label,
        "row": row.design.row,
        "column": row.design.column,
        "network": name_of(model),
        "cardinality": model.cardinality if isinstance(model, ResNeXtConfig) else None,
        "bottleneck_width": model.bottleneck_width if isinstance(model, ResNeXtConfig) else None,
        "depth": model.depth if isinstance(model, ResNeXtConfig) else None,
        "data": row.trial.data,
        "seed": row.trial.seed,
        "state": row.state,
        "reason": row.attempts[-1]["reason"] if row.attempts and row.state != "done" else None,
    }
    for name in _FIGURES:
        values[name] = None if figures is None else getattr(figures, name)
    values["problems"] = None if figures is None else ", ".join(figures.problems) or None
    for test in study.tests:
        top1, top5 = row.tests.get(test.name, (None, None))
        values |= {f"top1_error_{test.name}": top1, f"top5_error_{test.name}": top5}
    return {**values, "key": row.trial.key}


def csv_text(study: Study, rows: Sequence[Row]) -> str:
    """Return all trials as CSV, one line each."""
    return csv_table([trial_row(study, row) for row in rows])
