from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from made_study import made_row, made_study

from resnext.data.config import DataConfig
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.ranking import Agreement, rank_agreements
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Study

SETS = (TrainConfig(), TrainConfig(data=DataConfig(name="cifar10")))


def agreements(digits: Sequence[float | None], cifar: Sequence[float | None]) -> list[Agreement]:
    labels = "abcdefgh"[: len(digits)]
    study: Study = made_study(labels, settings=SETS, seeds=(0, 1))
    errors = {"digits": digits, "cifar10": cifar}
    rows = [
        made_row(trial, errors[trial.data][labels.index(trial.design.label)])
        for trial in plan_trials(study)
    ]
    return rank_agreements(study, rows)


def test_equal_and_reversed_rankings_are_the_ends_of_the_scale() -> None:
    (same,) = agreements([1, 2, 3, 4], [10, 11, 40, 50])
    (reversed_,) = agreements([1, 2, 3, 4], [9, 8, 7, 6])
    assert same.tau == pytest.approx(1)
    assert reversed_.tau == pytest.approx(-1)


def test_tau_is_the_share_of_pairs_in_order_less_those_out_of_order() -> None:
    (found,) = agreements([1, 2, 3, 4], [10, 30, 20, 40])
    assert found.tau == pytest.approx((5 - 1) / 6)  # one of six pairs is out of order
    assert str(found).startswith("4 designs on digits and cifar10: Kendall's tau +0.67 (p = 0.3")


def test_only_designs_that_finished_on_both_sets_count() -> None:
    (found,) = agreements([1, 2, 3, None, 9], [4, 5, 6, 1, None])
    assert found.num_designs == 3
    assert found.tau == pytest.approx(1)


def test_designs_of_which_halving_left_a_selection_are_not_ranked() -> None:
    labels = "abcd"
    study: Study = made_study(labels, settings=SETS, seeds=(0, 1))
    rows = [
        made_row(trial, None, state="pruned")
        if (trial.design.label, trial.data, trial.seed) == ("a", "digits", 1)
        else made_row(trial, float(labels.index(trial.design.label)))
        for trial in plan_trials(study)
    ]
    (found,) = rank_agreements(study, rows)
    assert found.num_designs == 3


def test_two_designs_make_no_ranking() -> None:
    assert agreements([1, 2], [1, 2]) == []


def test_a_set_that_ties_all_designs_says_so() -> None:
    (found,) = agreements([1, 2, 3], [5, 5, 5])
    assert math.isnan(found.tau)
    assert str(found).endswith("so there is no ranking.")


def test_one_set_has_nothing_to_agree_with() -> None:
    study = made_study("abc")
    assert rank_agreements(study, [made_row(trial, 1.0) for trial in plan_trials(study)]) == []
