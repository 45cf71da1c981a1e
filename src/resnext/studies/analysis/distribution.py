"""The distribution of the errors of many designs, and tests between groups of designs.

Designs are the sampling units here: each is one sample from its group's space.
Source: Radosavovic et al., "On Network Design Spaces for Visual Recognition", arXiv 1905.13214.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import stats

from resnext.studies.analysis.corrections import (
    LEVEL,
    Correction,
    correct,
    correction_of,
    describe_p,
)
from resnext.studies.analysis.statistics import Measure, errors_of, means_of, measures_of
from resnext.studies.records.results import Row, num_stopped
from resnext.studies.study import Study

ALL = "all designs"
"""Name of the group of designs without a row."""

_MIN_DESIGNS = 2


@dataclass(frozen=True)
class Group:
    """The mean errors of a group of designs.

    Attributes:
        name: The row that its designs share.
        errors: Mean error of each finished design in percent, by its label.
        num_unfinished: Number of designs without an error, for example those that halving stopped.
    """

    name: str
    errors: dict[str, float]
    num_unfinished: int

    @property
    def values(self) -> list[float]:
        """The errors alone."""
        return list(self.errors.values())


@dataclass(frozen=True)
class GroupDifference:
    """A test whether the errors of two groups have the same distribution.

    Attributes:
        measure: The error that is compared.
        first: The first group.
        second: The second group.
        statistic: Largest distance between their distribution functions (Kolmogorov-Smirnov).
        p: p value under a common distribution.
        corrected_p: p value corrected for the number of pairs.
        correction: Method of the correction.
        num_compared: Number of pairs of groups over all data sets and tests.
        num_stopped: Trials that halving stopped; if any, nothing is tested and the other values are
            NaN.
    """

    measure: Measure
    first: Group
    second: Group
    statistic: float
    p: float
    corrected_p: float
    correction: Correction = "none"
    num_compared: int = 0
    num_stopped: int = 0

    @property
    def is_resolved(self) -> bool:
        """Whether the difference is statistically significant."""
        return self.corrected_p < LEVEL  # False for NaN

    def __str__(self) -> str:
        if self.num_stopped:
            return (
                f"Not tested: on {self.measure}, whether the errors of {self.first.name} and "
                f"{self.second.name} differ; halving stopped {self.num_stopped} trials because "
                "of their errors, so the finished designs are a biased selection."
            )
        groups = " and ".join(
            f"{group.name} (n = {len(group.errors)}, median {np.median(group.values):.2f} %)"
            for group in (self.first, self.second)
        )
        p = describe_p(self.corrected_p, self.correction, f"{self.num_compared} pairs")
        tested = f"(Kolmogorov-Smirnov distance {self.statistic:.2f}, {p})"
        if self.is_resolved:
            return (
                f"Resolved: on {self.measure} the errors of {groups} are distributed differently "
                f"{tested}."
            )
        return f"Not resolved: on {self.measure}, whether the errors of {groups} differ {tested}."


def groups_of(study: Study, rows: Sequence[Row], measure: Measure) -> list[Group]:
    """Group the designs of a study by their row."""
    means = means_of(errors_of(rows, measure))
    errors: dict[str, dict[str, float]] = defaultdict(dict)
    num_unfinished: dict[str, int] = defaultdict(int)
    for design in study.designs:
        name = design.row or ALL
        if design.label in means:
            errors[name][design.label] = means[design.label].mean
        else:
            num_unfinished[name] += 1
    return [Group(name, found, num_unfinished[name]) for name, found in errors.items()]


def compare_groups(study: Study, rows: Sequence[Row]) -> list[GroupDifference]:
    """Test for each pair of groups in a distribution study whether their errors differ."""
    if study.kind != "distribution":
        return []
    found = []
    for measure in measures_of(study):
        groups = [g for g in groups_of(study, rows, measure) if len(g.errors) >= _MIN_DESIGNS]
        stopped = num_stopped(rows, measure.data).total()
        for first, second in combinations(groups, 2):
            statistic = p = math.nan
            if not stopped:
                tested = stats.ks_2samp(first.values, second.values)
                statistic, p = float(tested.statistic), float(tested.pvalue)
            found.append(
                GroupDifference(measure, first, second, statistic, p, p, num_stopped=stopped)
            )
    correction = correction_of(study, len(found))
    corrected = correct([row.p for row in found], correction)
    return [
        replace(row, corrected_p=p, correction=correction, num_compared=len(found))
        for row, p in zip(found, corrected, strict=True)
    ]
