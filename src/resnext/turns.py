"""Times several actions in turns, so that changes of the machine's load affect all equally."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

WARM_UP = 3

Stopwatch = Callable[[Callable[[], Any]], float]
"""Runs an action and returns its seconds."""


def order_of(number: int, contestants: Sequence[int]) -> list[int]:
    """Return the order of a round: alternately forwards and backwards, rotating each pair.

    This way no action always follows the same one, which would affect its caches.
    """
    if not contestants:
        return []
    first = number // 2 % len(contestants)
    order = [*contestants[first:], *contestants[:first]]
    return order[::-1] if number % 2 else order


def take_turns(
    actions: Sequence[Callable[[], Any]],
    rounds: int,
    *,
    warm_up: int = WARM_UP,
    clock: Callable[[], float] = time.perf_counter,
    stopwatch: Stopwatch | None = None,
) -> list[list[float]]:
    """Return the seconds of each action in each round, without warm-up rounds.

    Args:
        actions: What to time.
        rounds: Measured rounds.
        warm_up: Warm-up rounds.
        clock: Wall clock in seconds.
        stopwatch: Times an action instead of the clock, as GPU work is asynchronous.
    """
    timed = stopwatch or partial(_timed, clock)
    found: list[list[float]] = [[] for _ in actions]
    for number in range(warm_up + rounds):
        for index in order_of(number, range(len(actions))):
            seconds = timed(actions[index])
            if number >= warm_up:
                found[index].append(seconds)
    return found


def _timed(clock: Callable[[], float], action: Callable[[], Any]) -> float:
    start = clock()
    action()
    return clock() - start


def spread_ms(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Return median, lower and upper quartile in milliseconds."""
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return 1e3 * middle, 1e3 * low, 1e3 * high
