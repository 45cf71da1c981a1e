"""What errors over a few seeds say: means, paired differences, and how sure they are.

Seeds are the units of chance: a claim is about what another person would find with other seeds,
not about the test images. Designs of one seed share order and augmentation of the images, so
differences are taken seed by seed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from resnext.studies.results import Row
from resnext.studies.study import Comparison, Study, data_label

LEVEL = 0.05
"""Share of false findings that is accepted."""
POWER = 0.8
"""Chance of a finding that the number of seeds is planned for."""
MOST_SEEDS = 200
"""More than so many are not worth planning."""

_RESAMPLES = 9999

# Of one data set and test: label -> seed -> error in percent
Errors = dict[str, dict[int, float]]


@dataclass(frozen=True)
class Mean:
    """The errors of one design over its seeds, in percent.

    Attributes:
        label: Label of the design.
        n: Finished seeds.
        mean: Their mean.
        deviation: Their standard deviation; None with fewer than two.
    """

    label: str
    n: int
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Difference:
    """A claim, tested: `than` minus `better`, in points of error; positive supports it.

    Attributes:
        comparison: The claim.
        data: Name of the data set.
        test: Name of the test; empty for validation.
        n: Seeds that both designs finished.
        mean: Mean of the paired differences; NaN without any.
        interval: 95 % interval by Student's t; None with fewer than two seeds.
        bootstrap: 95 % interval by resampling the seeds; too narrow when they are few.
        p: Of the paired t test, two-sided; NaN where it cannot be told.
        corrected_p: The same, with the study's number of comparisons taken into account.
        n_needed: Seeds with which a difference of this size would probably be found.
    """

    comparison: Comparison
    data: str
    test: str
    n: int
    mean: float
    interval: tuple[float, float] | None
    bootstrap: tuple[float, float] | None
    p: float
    corrected_p: float
    n_needed: int | None

    @property
    def is_resolved(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.corrected_p < LEVEL  # False for NaN


def errors_of(rows: Iterable[Row], data: str, test: str = "", *, training: bool = False) -> Errors:
    """Collect the errors of the finished trials on one data set.

    Args:
        rows: Rows of a study.
        data: Name of the data set.
        test: Name of the test; empty for the validation of training.
        training: Take the error on the training images instead.
    """
    found: Errors = defaultdict(dict)
    for row in rows:
        if row.trial.data != data or row.figures is None:
            continue
        error = row.figures.train_top1_error if training else row.error(test)
        if error is not None:
            found[row.design.label][row.trial.seed] = error
    return dict(found)


def summarise(label: str, errors: Iterable[float]) -> Mean:
    """Return mean and spread of one design."""
    values = list(errors)
    mean = float(np.mean(values)) if values else math.nan
    return Mean(
        label, len(values), mean, float(np.std(values, ddof=1)) if len(values) > 1 else None
    )


def compare(study: Study, rows: Sequence[Row]) -> list[Difference]:
    """Test all claims of a study on all of its data sets and tests.

    The p values of all of them together are corrected for their number by the procedure of
    Benjamini and Hochberg, which bounds the share of false findings among the findings.
    """
    found = [
        _difference(comparison, errors_of(rows, data, test), data, test)
        for data in (data_label(settings.data) for settings in study.settings)
        for test in ("", *(test.name for test in study.tests))
        for comparison in study.comparisons
    ]
    return _correct(found)


def _difference(comparison: Comparison, errors: Errors, data: str, test: str) -> Difference:
    better, than = errors.get(comparison.better, {}), errors.get(comparison.than, {})
    seeds = sorted(better.keys() & than.keys())
    values = np.array([than[seed] - better[seed] for seed in seeds])
    n = len(values)
    mean = float(values.mean()) if n else math.nan
    interval = bootstrap = None
    p = math.nan
    if n > 1 and values.std() > 0:
        tested = stats.ttest_1samp(values, 0.0)
        p = float(tested.pvalue)
        limits = tested.confidence_interval(1 - LEVEL)
        interval = (float(limits.low), float(limits.high))
        bootstrap = _bootstrap(values)
    return Difference(comparison, data, test, n, mean, interval, bootstrap, p, p, None)


def _bootstrap(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """Resample the seeds; the same draws each time, so that a report repeats itself."""
    found = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=1 - LEVEL,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _correct(found: list[Difference]) -> list[Difference]:
    """Correct the p values for their number, and plan the seeds at the level that remains."""
    testable = [number for number, row in enumerate(found) if not math.isnan(row.p)]
    if not testable:
        return found
    corrected = stats.false_discovery_control([found[number].p for number in testable])
    result = list(found)
    for number, p in zip(testable, corrected, strict=True):
        row = found[number]
        result[number] = replace(
            row, corrected_p=float(p), n_needed=_seeds_needed(row, LEVEL / len(testable))
        )
    return result


def _seeds_needed(row: Difference, level: float) -> int | None:
    """Find the fewest seeds whose paired t test finds a difference of this size."""
    assert row.interval is not None
    half_width = (row.interval[1] - row.interval[0]) / 2
    standard_error = half_width / stats.t.ppf(1 - LEVEL / 2, row.n - 1)
    effect = abs(row.mean) / (standard_error * math.sqrt(row.n))
    return next((n for n in range(2, MOST_SEEDS + 1) if power(effect, n, level) >= POWER), None)


def power(effect: float, n: int, level: float) -> float:
    """Return the chance that a paired t test finds a difference.

    Args:
        effect: Mean difference over its standard deviation.
        n: Pairs.
        level: Share of false findings that is accepted, two-sided.

    Source: the noncentral t distribution; J. Cohen, "Statistical Power Analysis", chapter 2.
    """
    critical = stats.t.ppf(1 - level / 2, n - 1)
    shifted = stats.nct(n - 1, effect * math.sqrt(n))
    return float(shifted.sf(critical) + shifted.cdf(-critical))
