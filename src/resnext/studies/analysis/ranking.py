"""Rank correlations of designs between data sets, and with the paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from scipy import stats

from resnext.studies.analysis.paper import counterparts_of, own_figures
from resnext.studies.analysis.statistics import Measure, errors_of, means_of, measures_of
from resnext.studies.records.results import Row, num_stopped
from resnext.studies.study import PaperResult, Study

_MIN_DESIGNS = 3


@dataclass(frozen=True)
class Agreement:
    """The rank correlation of designs between two data sets.

    Attributes:
        first: Name of the first data set.
        second: Name of the second data set, or of the paper's networks.
        num_designs: Number of designs with errors on both.
        tau: Kendall's rank correlation of their mean errors; NaN if all are tied on one of them.
        p: p value under independent rankings, two-sided.
    """

    first: str
    second: str
    num_designs: int
    tau: float
    p: float

    def __str__(self) -> str:
        start = f"{self.num_designs} designs on {self.first} and {self.second}: "
        if math.isnan(self.tau):
            return start + "all designs are tied on one of them, so there is no ranking."
        return start + f"Kendall's tau {self.tau:+.2f} (p = {self.p:.3f}, not corrected)."


def rank_agreements(study: Study, rows: Sequence[Row]) -> list[Agreement]:
    """Correlate the rankings of the designs between each pair of data sets of a study."""
    errors = {
        measure.data: _means(rows, measure) for measure in measures_of(study) if not measure.test
    }
    pairs = combinations(errors.items(), 2)
    return _agreements((*one, *other) for one, other in pairs)


def paper_agreements(study: Study, rows: Sequence[Row]) -> list[Agreement]:
    """Correlate the ranking of the designs with the ranking by the paper's errors."""
    return _agreements(
        (str(measure), _means(rows, measure), name, ranked)
        for measure in measures_of(study)
        for name, ranked in _paper_rankings(study, measure)
    )


def _means(rows: Sequence[Row], measure: Measure) -> dict[str, float]:
    """Return the mean errors, without designs of which halving stopped trials."""
    stopped = num_stopped(rows, measure.data)
    means = means_of(errors_of(rows, measure))
    return {label: mean.mean for label, mean in means.items() if not stopped[label]}


def _agreements(
    pairs: Iterable[tuple[str, dict[str, float], str, dict[str, float]]],
) -> list[Agreement]:
    found = []
    for first, errors, second, others in pairs:
        common = sorted(errors.keys() & others.keys())
        if len(common) < _MIN_DESIGNS:
            continue
        tau = stats.kendalltau(
            [errors[label] for label in common], [others[label] for label in common]
        )
        found.append(Agreement(first, second, len(common), float(tau.statistic), float(tau.pvalue)))
    return found


def _paper_rankings(study: Study, measure: Measure) -> list[tuple[str, dict[str, float]]]:
    """Return the paper's errors by our labels, for each set of matching networks."""
    own = own_figures(study, measure)
    if own:
        return [("the same in the paper", _errors(own))]
    counterparts = counterparts_of(study, measure)
    num_sets = max(map(len, counterparts.values()), default=0)
    sets = [
        {label: figures[number] for label, figures in counterparts.items() if number < len(figures)}
        for number in range(num_sets)
    ]
    return [(_title(list(figures.values())), _errors(figures)) for figures in sets]


def _errors(figures: dict[str, PaperResult]) -> dict[str, float]:
    return {label: figure.value for label, figure in figures.items()}


def _title(figures: list[PaperResult]) -> str:
    first, last = figures[0], figures[-1]
    return f"the paper's on {first.data} ({first.design} ... {last.design})"
