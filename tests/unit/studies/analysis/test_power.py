from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from resnext.studies.analysis.power import MAX_SEEDS, POWER, power, seeds_needed

EFFECTS = (0.0, 0.01, 0.3, 1.0, 5.0, 20.0, 100.0, 1e6)


def power_by_integration(effect: float, n: int, level: float) -> float:
    """Integrate the normal over the chi distribution of the estimated spread."""
    critical = stats.t.isf(level / 2, n - 1)
    shift = effect * math.sqrt(n)

    def rejected(spread: float) -> float:
        bound = critical * spread
        chance = stats.norm.sf(bound - shift) + stats.norm.cdf(-bound - shift)
        return float(chance * stats.chi.pdf(spread * math.sqrt(n - 1), n - 1) * math.sqrt(n - 1))

    return float(integrate.quad(rejected, 0, 12, limit=400)[0])


@pytest.mark.parametrize("effect", [0.0, 0.2, 0.8, 2.0])
@pytest.mark.parametrize("n", [3, 5, 10, 40])
def test_power_is_the_integral_over_the_estimated_spread(effect: float, n: int) -> None:
    assert power(effect, n, 0.05) == pytest.approx(power_by_integration(effect, n, 0.05), abs=1e-6)


def test_power_is_the_share_of_simulated_experiments_that_find_the_difference() -> None:
    draws = np.random.default_rng(0).normal(0.9, 1.0, size=(20_000, 6))
    share = float(np.mean(stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05))
    assert power(0.9, 6, 0.05) == pytest.approx(share, abs=4 * math.sqrt(0.25 / 20_000))


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("level", [0.05, 0.005, 5e-5])
def test_power_is_a_chance_that_grows_with_the_seeds(effect: float, level: float) -> None:
    values = [power(effect, n, level) for n in (2, 3, 5, 10, 50, MAX_SEEDS)]
    assert all(level - 1e-9 <= value <= 1 + 1e-9 for value in values)
    assert values == sorted(values) or max(np.diff(values) * -1) < 1e-9


@pytest.mark.parametrize("effect", [0.25, 0.5, 1.0, 3.0, 5.0, 20.0, 50.0])
def test_the_seeds_needed_are_the_fewest_that_have_the_power(effect: float) -> None:
    n = seeds_needed(effect, 0.01)
    assert n is not None
    assert power(effect, n, 0.01) >= POWER
    assert n == 2 or power(effect, n - 1, 0.01) < POWER


def test_half_of_the_spread_takes_the_34_pairs_of_the_textbooks() -> None:
    # J. Cohen, "Statistical Power Analysis": d = 0.5, two-sided 5 %, power 0.8
    assert seeds_needed(0.5, 0.05) == 34


def test_no_number_is_named_where_it_is_not_worth_it() -> None:
    assert seeds_needed(0.0, 0.05) is None
    assert seeds_needed(0.05, 0.05) is None
