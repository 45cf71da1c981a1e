"""Whether designs rank alike on different data sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from scipy import stats

from resnext.studies.results import Row
from resnext.studies.statistics import errors_of, means_of, measures_of
from resnext.studies.study import Study

_FEWEST_DESIGNS = 3


@dataclass(frozen=True)
class Agreement:
    """Whether designs rank alike on two data sets.

    Attributes:
        first: Name of the one set.
        second: Name of the other.
        num_designs: Designs that have finished on both.
        tau: Kendall's rank correlation of their mean errors; NaN if one set ties them all.
        p: Chance of one as far from 0 if the rankings had nothing to do with each other.
    """

    first: str
    second: str
    num_designs: int
    tau: float
    p: float

    def __str__(self) -> str:
        start = f"{self.num_designs} designs on {self.first} and {self.second}: "
        if math.isnan(self.tau):
            return start + "one of the sets ties all designs, so that there is no ranking."
        return start + f"Kendall's tau {self.tau:+.2f} (p = {self.p:.3f})."


def rank_agreements(study: Study, rows: Sequence[Row]) -> list[Agreement]:
    """Correlate the rankings of the designs between each two data sets of a study."""
    means = {
        measure.data: means_of(errors_of(rows, measure))
        for measure in measures_of(study)
        if not measure.test
    }
    found = []
    for first, second in combinations(means, 2):
        common = sorted(means[first].keys() & means[second].keys())
        if len(common) < _FEWEST_DESIGNS:
            continue
        tau = stats.kendalltau(
            [means[first][label].mean for label in common],
            [means[second][label].mean for label in common],
        )
        found.append(Agreement(first, second, len(common), float(tau.statistic), float(tau.pvalue)))
    return found
