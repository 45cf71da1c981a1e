"""The metric by which a study compares its designs: the measure of the task."""

from __future__ import annotations

from typing import Any

from resnext.tasks.kinds import DEFAULT_TASK, task_kind, task_names
from resnext.tasks.measure import Measure as Metric

TOP1: Metric = task_kind(DEFAULT_TASK).measure
TOP1_ERROR: str = TOP1.key

_NEW_NAMES = {
    "top1_error": "value",
    "train_top1_error": "train_value",
    "best_top1_error": "best_value",
    "error": "value",
}


def metric_of(key: str) -> Metric:
    """Return the measure of a task by its key; that of an unknown task is only named."""
    for name in task_names():
        kind = task_kind(name)
        if kind.measure.key == key:
            return kind.measure
    return Metric(key, key.replace("_", " "))


def with_new_names(values: Any) -> Any:
    """Rename the fields of a file that an earlier version wrote, when all errors were top-1."""
    if not isinstance(values, dict) or "value" in values:
        return values
    return {_NEW_NAMES.get(name, name): value for name, value in values.items()}
