"""Corrections of p values against values computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_study import made_study

from resnext.studies.analysis.corrections import LEVEL, correct, correction_of, describe_p

# A textbook family of five, in an order that is not sorted
PS = [0.03, 0.005, 0.2, 0.01, 0.02]


def test_holm_multiplies_by_the_number_that_is_left_and_never_falls() -> None:
    # Sorted: 0.005 x 5, 0.01 x 4, 0.02 x 3, 0.03 x 2 (below the one before), 0.2 x 1
    assert correct(PS, "Holm") == pytest.approx([0.06, 0.025, 0.2, 0.04, 0.06])


def test_the_false_discovery_rate_divides_by_the_rank_and_never_rises_from_below() -> None:
    # Sorted: 0.005 x 5 / 1, 0.01 x 5 / 2, 0.02 x 5 / 3, 0.03 x 5 / 4, 0.2 x 5 / 5
    wanted = [0.0375, 0.025, 0.2, 0.025, 0.1 / 3]
    assert correct(PS, "Benjamini-Hochberg") == pytest.approx(wanted)


def test_a_comparison_that_cannot_be_tested_counts_and_stays_undefined() -> None:
    first, second, third = correct([0.01, math.nan, 0.02], "Holm")
    assert (first, third) == pytest.approx((0.03, 0.04))
    assert math.isnan(second)
    assert correct([], "Holm") == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferronis(ps: list[float]) -> None:
    corrected = correct(ps, "Holm")
    for p, c in zip(ps, corrected, strict=True):
        assert p <= c <= min(1.0, len(ps) * p)
    assert min(corrected) == min(1.0, len(ps) * min(ps))
    by_rate = correct(ps, "Benjamini-Hochberg")
    assert all(c >= r - 1e-12 for c, r in zip(corrected, by_rate, strict=True))


def test_planned_comparisons_are_family_wise_and_explored_ones_are_not() -> None:
    table = made_study("abc")
    assert correction_of(table, 1) == "none"
    assert correction_of(table, 2) == "Holm"
    assert correction_of(table.replace(kind="distribution"), 2) == "Benjamini-Hochberg"
    assert LEVEL == 0.05


def test_a_p_value_is_said_with_its_method() -> None:
    assert describe_p(0.0745, "Holm", "5 comparisons") == "p = 0.074 by Holm for 5 comparisons"
    assert describe_p(0.0004, "none", "1 comparisons") == "p < 0.001"
