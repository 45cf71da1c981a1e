"""Turns: everyone once a round, in changing order; the first rounds count for nothing."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.turns import order_of, spread_ms, take_turns


@given(st.integers(0, 40), st.integers(0, 9))
def test_every_round_has_every_contestant_once(number: int, size: int) -> None:
    assert sorted(order_of(number, range(size))) == list(range(size))


@given(st.integers(2, 9))
def test_over_a_cycle_of_rounds_everyone_is_first_and_last_equally_often(size: int) -> None:
    orders = [order_of(number, range(size)) for number in range(2 * size)]
    assert Counter(order[0] for order in orders) == dict.fromkeys(range(size), 2)
    assert Counter(order[-1] for order in orders) == dict.fromkeys(range(size), 2)


@given(st.integers(0, 40), st.integers(1, 9))
def test_every_second_round_goes_backwards(pair: int, size: int) -> None:
    forwards, backwards = (order_of(2 * pair + number, range(size)) for number in (0, 1))
    assert backwards == forwards[::-1]


def test_actions_take_turns_and_the_first_rounds_are_left_out() -> None:
    calls: list[str] = []
    ticks = itertools.count()
    actions = [lambda: calls.append("a"), lambda: calls.append("b")]
    seconds = take_turns(actions, 4, warm_up=2, clock=lambda: float(next(ticks)))
    rounds = ["".join(pair) for pair in zip(calls[::2], calls[1::2], strict=True)]
    assert rounds == ["ab", "ba", "ba", "ab", "ab", "ba"]
    assert seconds == [[1.0] * 4, [1.0] * 4]


def test_times_stay_with_their_action_whatever_the_order() -> None:
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    seconds = take_turns(
        [lambda: wait(1.0), lambda: wait(2.0), lambda: wait(4.0)], 6, clock=lambda: now
    )
    assert seconds == [[1.0] * 6, [2.0] * 6, [4.0] * 6]


def test_quartiles_lie_within_what_was_measured() -> None:
    assert spread_ms([0.001, 0.010]) == pytest.approx((5.5, 3.25, 7.75))
