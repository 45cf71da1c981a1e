"""The results of a study by design and seed: mean and spread.

Results are errors or, where the task measures something else, its measure: see `Measure.metric`.

Seeds are the sampling units: a claim is about what someone else would find with other seeds, not
about other test images.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from resnext.studies.records.metric import TOP1
from resnext.studies.records.results import Row
from resnext.studies.study import Study
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure as Metric

# label -> seed -> error, or another measure, in percent
Errors = dict[str, dict[int, float]]


@dataclass(frozen=True)
class Measure:
    """One kind of result.

    Attributes:
        data: Name of the data set.
        test: Name of the test; empty for the validation.
        is_training: Use the result on the augmented training images instead.
        metric: The task's measure, and whether higher is better.
    """

    data: str
    test: str = ""
    is_training: bool = False
    metric: Metric = TOP1

    def __str__(self) -> str:
        kind = "training data" if self.is_training else self.test
        return f"{self.data}, {kind}" if kind else self.data


@dataclass(frozen=True)
class Mean:
    """The errors of one design over its seeds, in percent.

    Attributes:
        label: Label of the design.
        n: Number of finished seeds.
        mean: Their mean.
        deviation: Their standard deviation; None with fewer than two seeds.
    """

    label: str
    n: int
    mean: float
    deviation: float | None


def measures_of(study: Study) -> list[Measure]:
    """Return the measures that designs are compared by: validation and tests on each data set."""
    return [
        Measure(settings.data.label, test, metric=task_kind(settings.task).measure)
        for settings in study.settings
        for test in ("", *(test.name for test in study.tests))
    ]


def training_measures_of(study: Study) -> list[Measure]:
    """Return the measures of the training images on each data set."""
    return [
        Measure(settings.data.label, "", True, task_kind(settings.task).train_measure)
        for settings in study.settings
    ]


def errors_of(rows: Iterable[Row], measure: Measure) -> Errors:
    """Collect the results of the trials; values that are not numbers are left out."""
    return _collect(rows, measure, lambda row: _value(row, measure))


def top5_errors_of(rows: Iterable[Row], measure: Measure) -> Errors:
    """Collect the top-5 errors of the trials, where there are any."""
    return _collect(rows, measure, lambda row: _top5_error(row, measure))


def _value(row: Row, measure: Measure) -> float | None:
    if measure.is_training:
        return None if row.figures is None else row.figures.train_value
    return row.value(measure.test)


def _top5_error(row: Row, measure: Measure) -> float | None:
    if measure.test:
        return row.tests[measure.test][1] if measure.test in row.tests else None
    return None if row.figures is None else row.figures.top5_error


def _collect(
    rows: Iterable[Row], measure: Measure, error_of: Callable[[Row], float | None]
) -> Errors:
    found: Errors = defaultdict(dict)
    for row in rows:
        error = error_of(row) if row.trial.data == measure.data else None
        if error is not None and math.isfinite(error):
            found[row.design.label][row.trial.seed] = error
    return dict(found)


def means_of(errors: Errors) -> dict[str, Mean]:
    """Return mean and spread of each design."""
    return {label: summarise(label, list(by_seed.values())) for label, by_seed in errors.items()}


def summarise(label: str, errors: Sequence[float]) -> Mean:
    """Return mean and spread of one design."""
    if not errors:
        return Mean(label, 0, math.nan, None)
    deviation = float(np.std(errors, ddof=1)) if len(errors) > 1 else None
    return Mean(label, len(errors), float(np.mean(errors)), deviation)
