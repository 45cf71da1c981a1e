"""Ratios of two contestants' times within rounds, and their spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binom

_OUTSIDE = 0.05


@dataclass(frozen=True)
class Ratio:
    """The times of one contestant relative to those of another.

    Attributes:
        median: Over the rounds.
        low: Lower end of the 95 % interval of that median.
        high: Upper end.
        n: Number of rounds.
    """

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        """Format the median with its interval."""
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def paired_ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Compare two contestants round by round, so that common load cancels out.

    The interval is based on order statistics, without assumptions about the distribution: the
    number of ratios left out at each end is the 2.5 % quantile of a binomial distribution. With
    fewer than six rounds no interval has that coverage, and it spans all ratios.

    Args:
        times: Times of one contestant, one per round.
        others: Times of the other contestant.

    Source: David and Nagaraja, Order Statistics, section 7.1 (intervals for quantiles).
    """
    ratios = sorted(a / b for a, b in zip(times, others, strict=True))
    n = len(ratios)
    # ppf is the first number of heads that is not rarer than 2.5 %, so one fewer may be left out
    left_out = max(int(binom.ppf(_OUTSIDE / 2, n, 0.5)) - 1, 0)
    return Ratio(statistics.median(ratios), ratios[left_out], ratios[n - 1 - left_out], n)
