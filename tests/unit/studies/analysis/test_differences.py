from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_study import made_row, made_rows, made_study, simulated_rows
from nonempty import nonempty
from scipy import stats

from resnext.data.config import DataConfig, ViewConfig
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.corrections import LEVEL
from resnext.studies.analysis.differences import compare, compare_training
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Comparison, Test, claims_of

CLAIM = Comparison(better="b", than="a")
STUDY = made_study(seeds=tuple(range(4)), comparisons=(CLAIM,))
ERRORS = st.lists(st.floats(1, 99), min_size=4, max_size=4)


@given(ERRORS, ERRORS)
@settings(max_examples=40, deadline=None)
def test_a_difference_is_that_of_the_paired_t_test(a: list[float], b: list[float]) -> None:
    (found,) = compare(STUDY, made_rows(STUDY, {"a": a, "b": b}))
    assert found.mean == pytest.approx(np.mean(np.subtract(a, b)))
    if found.interval is None:
        assert np.ptp(np.subtract(a, b)) < 1e-6
        return
    oracle = stats.ttest_rel(a, b)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-6)
    assert found.interval == pytest.approx(tuple(oracle.confidence_interval(0.95)))


def test_what_the_seeds_share_cancels() -> None:
    rows = simulated_rows(STUDY, {"a": 8.0, "b": 7.0}, seed=0, shared=5.0, own=0.05)
    (found,) = compare(STUDY, rows)
    assert found.is_resolved
    assert found.mean == pytest.approx(1.0, abs=0.2)


def test_equal_differences_are_no_certainty() -> None:
    # In floating point 7.3 - 7.2, 7.4 - 7.3 and so on differ in the last digit
    rows = made_rows(STUDY, {"a": [7.3, 7.4, 7.5, 7.6], "b": [7.2, 7.3, 7.4, 7.5]})
    (found,) = compare(STUDY, rows)
    assert found.mean == pytest.approx(0.1)
    assert found.interval is found.bootstrap is None
    assert not found.is_resolved


def test_one_seed_resolves_nothing() -> None:
    (found,) = compare(STUDY, made_rows(STUDY, {"a": [9, 9, None, None], "b": [1, None, 2, None]}))
    assert (found.n, found.mean, found.unpaired) == (1, 8.0, (1, 2))
    assert found.interval is None
    assert not found.is_resolved


def test_no_seed_resolves_nothing() -> None:
    (found,) = compare(STUDY, [made_row(trial, None) for trial in plan_trials(STUDY)])
    assert found.n == 0
    assert math.isnan(found.mean)
    assert not found.is_resolved


def test_undefined_errors_are_dropped_with_their_pair() -> None:
    rows = made_rows(STUDY, {"a": [9, 8, 9, math.nan], "b": [7, 6.5, 7, 6]})
    (found,) = compare(STUDY, rows)
    assert (found.n, found.unpaired) == (3, (3,))


def test_p_values_are_corrected_for_all_comparisons_of_all_sets_and_tests() -> None:
    sets = (TrainConfig(), TrainConfig(data=DataConfig(name="cifar10")))
    test = Test(name="48", view=ViewConfig(size_px=48))
    study = made_study(
        "abc",
        comparisons=(CLAIM, Comparison(better="c", than="a")),
        settings=sets,
        tests=(test,),
        seeds=(0, 1, 2),
    )
    rows = simulated_rows(study, {"a": 8.0, "b": 7.9, "c": 7.0}, seed=4, shared=0.1, own=0.1)
    found = compare(study, rows)
    assert [(str(row.measure), row.comparison.better) for row in found] == [
        (measure, better)
        for measure in ("digits", "digits, 48", "cifar10", "cifar10, 48")
        for better in "bc"
    ]
    # Holm, 1979: the largest (m - j + 1) p(j) over all ranks j up to its own
    ps = sorted(row.p for row in found)
    for row in found:
        earlier = [(len(ps) - j) * p for j, p in enumerate(ps) if p <= row.p]
        assert row.corrected_p == pytest.approx(min(1.0, max(earlier)))
        assert row.corrected_p >= row.p
        assert (row.correction, row.num_compared) == ("Holm", 8)


def test_comparisons_in_an_explored_space_keep_the_false_discovery_rate() -> None:
    study = made_study("abc", comparisons=(CLAIM, Comparison(better="c", than="a")))
    rows = simulated_rows(study, {"a": 8.0, "b": 7.9, "c": 7.0}, seed=4, shared=0.1, own=0.1)
    found = compare(study.replace(kind="distribution"), rows)
    ps = [row.p for row in found]
    assert [row.corrected_p for row in found] == pytest.approx(stats.false_discovery_control(ps))
    assert {row.correction for row in found} == {"Benjamini-Hochberg"}
    assert [row.simultaneous_interval for row in found] == [None, None]
    assert [row.shown_interval for row in found] == [row.interval for row in found]


def test_a_single_comparison_is_not_corrected() -> None:
    (found,) = compare(STUDY, made_rows(STUDY, {"a": [9, 8, 9, 8.5], "b": [7, 6.5, 7, 6]}))
    assert (found.correction, found.corrected_p) == ("none", found.p)
    assert found.simultaneous_interval == pytest.approx(found.interval)


def test_a_planned_comparison_that_cannot_be_tested_yet_counts() -> None:
    study = made_study("abc", seeds=(0, 1, 2))
    errors: dict[str, list[float | None]] = {
        "a": [8.0, 8.2, 8.1],
        "b": [7.8, 8.09, 7.95],
        "c": [None, None, None],
    }
    first, second = compare(study, made_rows(study, errors))
    assert first.corrected_p == pytest.approx(2 * first.p)
    assert math.isnan(second.corrected_p)
    assert first.num_compared == second.num_compared == 2


def test_the_simultaneous_interval_is_that_of_the_t_test_at_bonferronis_level() -> None:
    study = made_study("abc", seeds=(0, 1, 2, 3))
    errors = {"a": [8.0, 8.2, 8.1, 8.4], "b": [7.8, 8.09, 7.95, 8], "c": [7.0, 7.5, 7.2, 7.1]}
    for row in nonempty(compare(study, made_rows(study, errors))):
        oracle = stats.ttest_rel(errors["a"], errors[row.comparison.better])
        assert row.simultaneous_interval == pytest.approx(
            tuple(oracle.confidence_interval(1 - 0.05 / 2))
        )


@pytest.mark.slow
def test_all_intervals_together_cover_the_truth_as_often_as_they_say() -> None:
    labels, num = "abcdef", 200
    study = made_study(labels, seeds=(0, 1, 2, 3))
    missed = 0
    for seed in range(num):
        rows = simulated_rows(study, dict.fromkeys(labels, 8.0), seed=seed, shared=0.3, own=0.2)
        intervals = [row.simultaneous_interval for row in compare(study, rows)]
        missed += any(found is None or not found[0] <= 0 <= found[1] for found in intervals)
    assert missed / num <= LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / num)


def test_a_study_without_claims_compares_each_design_with_the_first() -> None:
    study = made_study("abc")
    assert [(c.better, c.than) for c in claims_of(study)] == [("b", "a"), ("c", "a")]
    assert claims_of(made_study("abc", kind="distribution")) == ()


def test_training_errors_are_compared_too() -> None:
    rows = simulated_rows(STUDY, {"a": 8.0, "b": 7.0}, seed=0, shared=0.2, own=0.05)
    (validation,), (training,) = compare(STUDY, rows), compare_training(STUDY, rows)
    assert training.measure.is_training
    assert training.mean == pytest.approx(validation.mean / 2)  # the made rows have half


@pytest.mark.slow
def test_the_interval_covers_the_truth_as_often_as_it_says_and_the_bootstrap_less_often() -> None:
    study = made_study(seeds=(0, 1, 2), comparisons=(CLAIM,))
    num = 300
    by_t = by_bootstrap = 0
    for seed in range(num):
        rows = simulated_rows(study, {"a": 8.0, "b": 7.7}, seed=seed, shared=0.3, own=0.2)
        (found,) = compare(study, rows)
        assert found.interval is not None
        assert found.bootstrap is not None
        by_t += found.interval[0] <= 0.3 <= found.interval[1]
        by_bootstrap += found.bootstrap[0] <= 0.3 <= found.bootstrap[1]
    error = math.sqrt(0.95 * 0.05 / num)
    assert by_t / num == pytest.approx(1 - LEVEL, abs=4 * error)
    assert by_bootstrap / num < 0.9


@pytest.mark.slow
def test_any_false_verdict_is_as_rare_as_the_level_also_beside_true_differences() -> None:
    labels = "abcdefghi"
    means = dict.fromkeys("abcde", 8.0) | dict.fromkeys("fghi", 5.0)  # a to e are alike
    study = made_study(labels, seeds=(0, 1, 2))
    num = 150
    wrong = wrong_by_rate = 0
    for seed in range(num):
        rows = simulated_rows(study, means, seed=seed, shared=0.3, own=0.2)
        found = compare(study, rows)
        wrong += any(row.is_resolved for row in found[:4])
        by_rate = stats.false_discovery_control([row.p for row in found])
        wrong_by_rate += min(by_rate[:4]) < LEVEL
    assert wrong / num <= LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / num)
    # The false discovery rate promises less: false verdicts may hide among true ones
    assert wrong_by_rate > wrong


def test_the_seeds_needed_do_resolve_the_difference_as_often_as_planned() -> None:
    rows = made_rows(STUDY, {"a": [8.0, 8.3, 7.9, 8.4], "b": [7.9, 7.8, 7.9, 7.9]})
    (found,) = compare(STUDY, rows)
    assert not found.is_resolved
    assert found.n_needed is not None
    values = np.array([0.1, 0.5, 0.0, 0.5])
    draws = np.random.default_rng(0).normal(
        values.mean(), values.std(ddof=1), size=(4000, found.n_needed)
    )
    share = float(np.mean(stats.ttest_1samp(draws, 0.0, axis=1).pvalue < LEVEL))
    assert 0.78 <= share <= 0.95
