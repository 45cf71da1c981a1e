"""How much slower one contestant is than another: ratios within rounds, and their spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binom

_OUTSIDE = 0.05


@dataclass(frozen=True)
class Ratio:
    """The times of one contestant over those of another.

    Attributes:
        median: Over the rounds.
        low: Lower end of the 95 % interval of that median.
        high: Upper end.
        n: Rounds.
    """

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        """Write the median with its interval."""
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


def paired_ratio(times: Sequence[float], others: Sequence[float]) -> Ratio:
    """Compare two contestants round by round, so that load which hits both cancels.

    The interval is that of order statistics, which assumes nothing of the distribution: as many
    ratios are left out at each end as coin tosses fall short in at most 2.5 % of all series.
    Below six rounds no interval is that sure, and it goes from the least to the largest.

    Args:
        times: Of one contestant, a figure for each round.
        others: Of the other.

    Source: David and Nagaraja, Order Statistics, section 7.1 (intervals for quantiles).
    """
    ratios = sorted(a / b for a, b in zip(times, others, strict=True))
    n = len(ratios)
    # ppf is the first number of heads that is not rarer than 2.5 %, so one fewer may be left out
    left_out = max(int(binom.ppf(_OUTSIDE / 2, n, 0.5)) - 1, 0)
    return Ratio(statistics.median(ratios), ratios[left_out], ratios[n - 1 - left_out], n)
