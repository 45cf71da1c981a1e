"""Ratios within rounds, and how sure their median is."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.benchmark.ratio import paired_ratio


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40), st.floats(0.1, 10))
def test_load_that_hits_both_in_a_round_cancels(others: list[float], factor: float) -> None:
    ratio = paired_ratio([factor * time for time in others], others)
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((factor,) * 3)
    assert ratio.n == len(others)


@pytest.mark.parametrize("n", [6, 7, 9, 15, 31, 101])
def test_as_many_ratios_are_left_out_as_coins_allow(n: int) -> None:
    ratio = paired_ratio([float(number) for number in range(1, n + 1)], [1.0] * n)
    left_out = round(ratio.low) - 1
    assert round(ratio.high) == n - left_out
    assert outside(n, left_out) <= 0.05 < outside(n, left_out + 1)


def test_with_few_rounds_the_interval_is_all_that_was_seen() -> None:
    ratio = paired_ratio([1.0, 2.0, 6.0], [1.0, 1.0, 2.0])
    assert (ratio.low, ratio.median, ratio.high) == (1.0, 2.0, 3.0)
    assert str(ratio) == "2.000 (1.000 to 3.000)"


def outside(n: int, left_out: int) -> float:
    """Probability that the true median lies outside when so many are left out at each end."""
    return float(2 * sum(comb(n, heads) for heads in range(left_out + 1)) / 2**n)
