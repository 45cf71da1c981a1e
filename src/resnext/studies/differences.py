"""Which differences between designs are more than chance: paired by seed, and corrected.

Designs of one seed share the order and the augmentation of the images, so differences are taken
seed by seed. The verdict rests on the paired t test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from resnext.studies.power import seeds_needed
from resnext.studies.results import Row, num_stopped
from resnext.studies.statistics import Errors, Measure, errors_of, measures_of
from resnext.studies.study import Comparison, Study, claims_of

LEVEL = 0.05
"""Share of false findings that is accepted."""

_RESAMPLES = 9999
# Errors in percent that differ by less are equal but for rounding
_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class Difference:
    """A claim, tested: `than` minus `better`, in points of error; positive supports it.

    Attributes:
        comparison: The claim.
        measure: The error that it is about.
        n: Seeds that both designs finished.
        unpaired: Seeds that only one of them finished, which are left out.
        mean: Mean of the paired differences; NaN without any.
        interval: 95 % interval by Student's t; None where the seeds show no spread.
        bootstrap: 95 % interval by resampling the seeds; too narrow when they are few.
        p: Of the paired t test, two-sided; NaN where it cannot be told.
        corrected_p: The same, with the number of comparisons taken into account.
        num_compared: That number.
        n_needed: Seeds with which a difference of this size would probably be found.
        num_stopped: Trials of the two designs that halving stopped; then nothing is tested.
    """

    comparison: Comparison
    measure: Measure
    n: int
    unpaired: tuple[int, ...]
    mean: float
    interval: tuple[float, float] | None = None
    bootstrap: tuple[float, float] | None = None
    p: float = math.nan
    corrected_p: float = math.nan
    num_compared: int = 0
    n_needed: int | None = None
    num_stopped: int = 0

    @property
    def is_resolved(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.corrected_p < LEVEL  # False for NaN


def compare(study: Study, rows: Sequence[Row]) -> list[Difference]:
    """Test all claims of a study on all of its data sets and tests.

    The p values of all of them together are corrected for their number by the procedure of
    Benjamini and Hochberg, which bounds the share of false findings among the findings.
    """
    return _compare(claims_of(study), rows, measures_of(study))


def compare_training(study: Study, rows: Sequence[Row]) -> list[Difference]:
    """Test the claims on the errors of the training images.

    They answer another question, whether a gain is one of representation or of regularisation,
    and so are corrected among themselves.
    """
    measures = [replace(m, is_training=True) for m in measures_of(study) if not m.test]
    return _compare(claims_of(study), rows, measures)


def _compare(
    claims: Sequence[Comparison], rows: Sequence[Row], measures: Sequence[Measure]
) -> list[Difference]:
    found = []
    for measure in measures:
        errors, stopped = errors_of(rows, measure), num_stopped(rows, measure.data)
        for claim in claims:
            num = stopped[claim.better] + stopped[claim.than]
            found.append(
                replace(_difference(claim, errors, measure, is_tested=not num), num_stopped=num)
            )
    return _correct(found)


def _difference(
    claim: Comparison, errors: Errors, measure: Measure, *, is_tested: bool
) -> Difference:
    better, than = errors.get(claim.better, {}), errors.get(claim.than, {})
    seeds = sorted(better.keys() & than.keys())
    unpaired = tuple(sorted(better.keys() ^ than.keys()))
    values = np.array([than[seed] - better[seed] for seed in seeds])
    n = len(values)
    plain = Difference(claim, measure, n, unpaired, float(values.mean()) if n else math.nan)
    if not is_tested or n < 2 or np.ptp(values) < _NO_SPREAD:
        return plain
    tested = stats.ttest_1samp(values, 0.0)
    limits = tested.confidence_interval(1 - LEVEL)
    return replace(
        plain,
        interval=(float(limits.low), float(limits.high)),
        bootstrap=_bootstrap(values),
        p=float(tested.pvalue),
    )


def _bootstrap(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
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
    """Correct the p values for their number, and plan the seeds at the level that remains.

    That level is Bonferroni's, which is the one that Benjamini and Hochberg ask of a claim if no
    other is found, so the number of seeds is on the safe side.
    """
    testable = [number for number, row in enumerate(found) if not math.isnan(row.p)]
    if not testable:
        return found
    corrected = stats.false_discovery_control([found[number].p for number in testable])
    result = list(found)
    for number, p in zip(testable, corrected, strict=True):
        row = found[number]
        result[number] = replace(
            row,
            corrected_p=float(p),
            num_compared=len(testable),
            n_needed=seeds_needed(_effect(row), LEVEL / len(testable)),
        )
    return result


def _effect(row: Difference) -> float:
    """Return the mean difference over the standard deviation of the differences."""
    assert row.interval is not None
    half_width = (row.interval[1] - row.interval[0]) / 2
    standard_error = half_width / stats.t.isf(LEVEL / 2, row.n - 1)
    return float(abs(row.mean) / (standard_error * math.sqrt(row.n)))
