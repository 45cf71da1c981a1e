from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_study import made_figures, made_row, made_rows, made_study

from resnext.data.config import DataConfig, ViewConfig
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.statistics import (
    Measure,
    errors_of,
    means_of,
    measures_of,
    summarise,
    top5_errors_of,
)
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Test

DIGITS = Measure("digits")


@given(st.lists(st.floats(0, 100), min_size=2, max_size=12))
def test_mean_and_spread_are_those_of_the_standard_library(errors: list[float]) -> None:
    found = summarise("a", errors)
    assert found.n == len(errors)
    assert found.mean == pytest.approx(statistics.fmean(errors))
    assert found.deviation == pytest.approx(statistics.stdev(errors), abs=1e-6)


def test_one_seed_has_no_spread() -> None:
    assert summarise("a", [7.0]).deviation is None


def test_no_seed_has_no_mean() -> None:
    assert math.isnan(summarise("a", []).mean)


def test_missing_and_undefined_errors_are_left_out() -> None:
    study = made_study(seeds=(0, 1, 2))
    rows = made_rows(study, {"a": [5.0, None, math.nan], "b": [None, None, None]})
    assert errors_of(rows, DIGITS) == {"a": {0: 5.0}}


def test_the_data_sets_are_kept_apart() -> None:
    sets = (TrainConfig(), TrainConfig(data=DataConfig(name="cifar10")))
    study = made_study(seeds=(0,), settings=sets)
    rows = [made_row(trial, 3.0 if trial.data == "digits" else 8.0) for trial in plan_trials(study)]
    assert errors_of(rows, Measure("cifar10")) == {"a": {0: 8.0}, "b": {0: 8.0}}
    assert errors_of(rows, Measure("cifar10", is_training=True))["a"] == {0: 4.0}


def test_a_test_has_its_own_errors() -> None:
    study = made_study(seeds=(0,), tests=(Test(name="48", view=ViewConfig(size_px=48)),))
    assert measures_of(study) == [DIGITS, Measure("digits", "48")]
    rows = [made_row(trial, 5.0, tests={"48": (4.0, 1.0)}) for trial in plan_trials(study)[:1]]
    assert errors_of(rows, Measure("digits", "48")) == {"a": {0: 4.0}}
    assert top5_errors_of(rows, Measure("digits", "48")) == {"a": {0: 1.0}}


def test_top_5_errors_are_found_where_there_are_any() -> None:
    first, second = plan_trials(made_study(seeds=(0,)))
    rows = [
        made_row(first, 5.0, figures=made_figures(first, 5.0, top5_error=0.5)),
        made_row(second, 6.0),
    ]
    assert means_of(top5_errors_of(rows, DIGITS))["a"].mean == 0.5
    assert set(top5_errors_of(rows, DIGITS)) == {"a"}
