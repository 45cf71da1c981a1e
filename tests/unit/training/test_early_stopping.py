"""When a run ends early, and what its log then says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.runs.config import ScheduleConfig, TrainConfig, default_patience
from resnext.training.checkpoint import Position
from resnext.training.early_stopping import (
    count_stale,
    describe_stop,
    has_stopped_early,
    is_over,
    stopped_epoch,
)


def run_of(patience: int | None, epochs: int = 30, warmup: float = 0.0) -> TrainConfig:
    """Return settings with early stopping."""
    schedule = ScheduleConfig(epochs=epochs, warmup=warmup)
    return TrainConfig(schedule=schedule, early_stopping=patience)


def follow(config: TrainConfig, errors: list[float]) -> int:
    """Return the number of epochs that a run with these errors trains."""
    position = Position()
    for error in errors:
        if is_over(config, position):
            break
        stale_epochs = count_stale(config, position, error)
        best = min(position.best, (error, 1.0))
        position = Position(position.epoch + 1, best=best, stale_epochs=stale_epochs)
    return position.epoch


@pytest.mark.parametrize(
    ("errors", "patience", "trained"),
    [
        ([50, 40, 40, 40, 40, 30], 3, 5),  # no lower for three epochs; an equal error is none
        ([50, 40, 41, 42, 39, 40, 41, 42, 20], 3, 8),
        ([50, 40, 41, 42, 39, 40, 41, 38], 3, 8),
        ([50, 51], 1, 2),
        ([50, 60, 70, 80], None, 4),
    ],
)
def test_training_ends_when_the_error_stays_above_its_lowest(
    errors: list[float], patience: int | None, trained: int
) -> None:
    assert follow(run_of(patience), errors) == trained


def test_epochs_of_the_warm_up_do_not_count() -> None:
    errors = [90.0] * 20
    assert follow(run_of(3, epochs=20), errors) == 4
    assert follow(run_of(3, epochs=20, warmup=0.25), errors) == 8


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 9))
def test_more_patience_never_ends_earlier(errors: list[int], patience: int) -> None:
    values = list(map(float, errors))
    few, more = (follow(run_of(p), values) for p in (patience, patience + 1))
    assert few <= more <= len(errors)


def test_a_run_that_trained_all_epochs_did_not_stop_early() -> None:
    config, last = run_of(3, epochs=10), Position(epoch=10, stale_epochs=9)
    assert is_over(config, last)
    assert not has_stopped_early(config, last)


@pytest.mark.parametrize(("epochs", "patience"), [(1, 5), (25, 5), (30, 6), (150, 30), (300, 60)])
def test_the_default_patience_is_a_fifth_of_the_epochs(epochs: int, patience: int) -> None:
    assert default_patience(epochs) == patience


def test_the_log_tells_whether_and_where_a_run_stopped() -> None:
    rows = [{"epoch": k, "top1_error": 9.0, "stale_epochs": k - 1} for k in range(1, 5)]
    assert stopped_epoch(run_of(3), rows) == 4
    assert stopped_epoch(run_of(4), rows) is None
    assert stopped_epoch(run_of(None), rows) is None
    assert stopped_epoch(run_of(3), []) is None
    assert stopped_epoch(run_of(3), [{"epoch": 4, "top1_error": 9.0}]) is None  # an older log


def test_the_reason_and_the_way_on_are_told() -> None:
    text = describe_stop(run_of(6), Position(epoch=14, stale_epochs=6), Path("runs/mine"))
    assert text.startswith("stopped early after epoch 14 of 30: the validation error has not ")
    assert "6 epoch(s)" in text
    assert text.endswith("resnext train --resume runs/mine")
