"""Significance tests of differences between designs: paired by seed, and corrected.

Designs with the same seed share the order and the augmentation of the images, so differences are
taken seed by seed. The verdict is based on the paired t test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from resnext.studies.analysis.corrections import LEVEL, Correction, correct, correction_of
from resnext.studies.analysis.power import seeds_needed
from resnext.studies.analysis.problems import FAILURES, describe_problems
from resnext.studies.analysis.statistics import (
    Errors,
    Measure,
    errors_of,
    measures_of,
    training_measures_of,
)
from resnext.studies.records.results import Row, num_stopped
from resnext.studies.study import Comparison, Study, claims_of

_RESAMPLES = 9999
# Errors in percent that differ by less are equal but for rounding
_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class Difference:
    """A tested claim: by how many percentage points `better` is better; positive supports it.

    That is the error of `than` minus that of `better`; where higher is better, the reverse.

    Attributes:
        comparison: The claim.
        measure: What is compared.
        n: Seeds that both designs finished.
        unpaired: Seeds that only one of them finished; they are left out.
        mean: Mean of the paired differences; NaN without any.
        interval: 95 % interval of this comparison alone (Student's t); None if the seeds show no
            spread.
        simultaneous_interval: The same at Bonferroni's level: the intervals of all comparisons hold
            jointly with 95 %. None where only the false discovery rate is controlled.
        bootstrap: 95 % bootstrap interval of this comparison alone, resampling the seeds; too
            narrow with few seeds.
        p: p value of the paired two-sided t test; NaN where it cannot be tested.
        corrected_p: p value corrected for the number of comparisons.
        correction: Method of the correction.
        num_compared: Planned comparisons, tested or not.
        n_needed: Seeds needed to detect a difference of this size with 80 % power.
        num_stopped: Trials of the two designs that halving stopped; if any, nothing is tested.
        cautions: A sentence for each design whose trials diverged or learned nothing.
    """

    comparison: Comparison
    measure: Measure
    n: int
    unpaired: tuple[int, ...]
    mean: float
    interval: tuple[float, float] | None = None
    simultaneous_interval: tuple[float, float] | None = None
    bootstrap: tuple[float, float] | None = None
    p: float = math.nan
    corrected_p: float = math.nan
    correction: Correction = "none"
    num_compared: int = 0
    n_needed: int | None = None
    num_stopped: int = 0
    cautions: tuple[str, ...] = ()

    @property
    def is_resolved(self) -> bool:
        """Whether the difference is statistically significant."""
        return self.corrected_p < LEVEL  # False for NaN

    @property
    def shown_interval(self) -> tuple[float, float] | None:
        """The interval for the verdict: simultaneous if available."""
        return self.simultaneous_interval or self.interval


def compare(study: Study, rows: Sequence[Row]) -> list[Difference]:
    """Test all claims of a study on all of its data sets and tests.

    They form one family: their p values are corrected together; see `correction_of`.
    """
    return _compare(study, rows, measures_of(study))


def compare_training(study: Study, rows: Sequence[Row]) -> list[Difference]:
    """Test the claims on the training images.

    They answer a separate question, whether a gain comes from representation or regularisation, and
    therefore form their own family.
    """
    return _compare(study, rows, training_measures_of(study))


def _compare(study: Study, rows: Sequence[Row], measures: Sequence[Measure]) -> list[Difference]:
    claims, found = claims_of(study), []
    for measure in measures:
        errors, stopped = errors_of(rows, measure), num_stopped(rows, measure.data)
        for claim in claims:
            num = stopped[claim.better] + stopped[claim.than]
            row = _difference(claim, errors, measure, is_tested=not num)
            cautions = _cautions(claim, rows, measure)
            found.append(replace(row, num_stopped=num, cautions=cautions))
    return _correct(found, correction_of(study, len(found)))


def _cautions(claim: Comparison, rows: Sequence[Row], measure: Measure) -> tuple[str, ...]:
    own = [row for row in rows if row.trial.data == measure.data]
    return tuple(describe_problems(own, FAILURES, (claim.better, claim.than)))


def _difference(
    claim: Comparison, errors: Errors, measure: Measure, *, is_tested: bool
) -> Difference:
    better, than = errors.get(claim.better, {}), errors.get(claim.than, {})
    seeds = sorted(better.keys() & than.keys())
    unpaired = tuple(sorted(better.keys() ^ than.keys()))
    cost = measure.metric.cost
    values = np.array([cost(than[seed]) - cost(better[seed]) for seed in seeds])
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
    """Resample the seeds with a fixed generator, so that reports are reproducible."""
    found = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=1 - LEVEL,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _correct(found: list[Difference], correction: Correction) -> list[Difference]:
    """Correct the p values for their number, and plan seeds at the corrected level.

    That is Bonferroni's level, which both methods require of a claim if no other is significant, so
    the number of seeds is conservative.
    """
    corrected = correct([row.p for row in found], correction)
    return [
        _corrected(replace(row, corrected_p=p, correction=correction, num_compared=len(found)))
        for row, p in zip(found, corrected, strict=True)
    ]


def _corrected(row: Difference) -> Difference:
    """Add the values that depend on the number of comparisons."""
    if row.interval is None:
        return row
    level = LEVEL / row.num_compared
    half_width = (row.interval[1] - row.interval[0]) / 2
    standard_error = half_width / stats.t.isf(LEVEL / 2, row.n - 1)
    wide = float(standard_error * stats.t.isf(level / 2, row.n - 1))
    is_simultaneous = row.correction != "Benjamini-Hochberg"
    return replace(
        row,
        simultaneous_interval=(row.mean - wide, row.mean + wide) if is_simultaneous else None,
        n_needed=seeds_needed(abs(row.mean) / (standard_error * math.sqrt(row.n)), level),
    )
