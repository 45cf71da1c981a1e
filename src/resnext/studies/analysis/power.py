"""Power analysis: the number of seeds needed to detect a difference."""

from __future__ import annotations

import bisect

from scipy import stats

POWER = 0.8
"""Statistical power that the number of seeds is planned for."""
MAX_SEEDS = 200
"""Maximum number of seeds to plan for."""


def power(effect: float, n: int, level: float) -> float:
    """Return the power of a paired t test.

    Args:
        effect: Mean difference over its standard deviation.
        n: Pairs, at least two.
        level: Significance level, two-sided.

    Source: J. Cohen, "Statistical Power Analysis", chapter 2. The square of the noncentral t is
    a noncentral F, which covers both tails at once; scipy's noncentral t gives NaN far out.
    """
    if effect == 0.0:
        return level  # scipy's noncentral F is wrong in just this case
    critical = stats.f.isf(level, 1, n - 1)
    return float(stats.ncf.sf(critical, 1, n - 1, n * effect**2))


def seeds_needed(effect: float, level: float) -> int | None:
    """Return the fewest seeds that detect a difference with a power of `POWER`.

    Args:
        effect: Mean difference over its standard deviation.
        level: Significance level, two-sided.

    Returns:
        The number, or None if it is above `MAX_SEEDS`.
    """
    numbers = range(2, MAX_SEEDS + 1)
    index = bisect.bisect_left(numbers, POWER, key=lambda n: power(effect, n, level))
    return numbers[index] if index < len(numbers) else None
