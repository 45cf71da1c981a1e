"""Whether designs rank alike on different data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from resnext.studies.results import Row
from resnext.studies.statistics import errors_of
from resnext.studies.study import Study, data_label


@dataclass(frozen=True)
class Agreement:
    """Whether designs rank alike on two data sets.

    Attributes:
        first: Name of the one set.
        second: Name of the other.
        num_designs: Designs that have finished on both.
        tau: Kendall's rank correlation of their mean errors.
        p: Chance of one as far from 0 if the rankings had nothing to do with each other.
    """

    first: str
    second: str
    num_designs: int
    tau: float
    p: float


def rank_agreements(study: Study, rows: Sequence[Row]) -> list[Agreement]:
    """Correlate the rankings of the designs between each two data sets of a study."""
    names = [data_label(settings.data) for settings in study.settings]
    means = {}
    for name in names:
        errors = errors_of(rows, name)
        means[name] = {label: float(np.mean(list(by.values()))) for label, by in errors.items()}
    found = []
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            common = sorted(means[first].keys() & means[second].keys())
            if len(common) < 3:
                continue
            pairs = [[means[name][label] for label in common] for name in (first, second)]
            tau = stats.kendalltau(*pairs)
            found.append(
                Agreement(first, second, len(common), float(tau.statistic), float(tau.pvalue))
            )
    return found
