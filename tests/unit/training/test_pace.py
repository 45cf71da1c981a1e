"""The time left, estimated from steps whose durations the test decides."""

from __future__ import annotations

import pytest

from resnext.training.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def measured(sizes_px: list[int], seconds: list[float], val_steps: float = 0.0) -> Pace:
    """Return a pace after one step of each duration at the beginning of the first epoch."""
    clock = Clock()
    pace = Pace(sizes_px, 10, val_steps, clock=clock)
    pace.start(0)
    for number, duration in enumerate(seconds, 1):
        clock.now += duration
        pace.measure(0, number)
    return pace


def test_the_first_step_counts_until_there_is_another() -> None:
    assert measured([32, 32], [5.0]).seconds_left(0, 1) == pytest.approx(19 * 5.0)
    assert measured([32, 32], [5.0, 1.0]).seconds_left(0, 2) == pytest.approx(18 * 1.0)


def test_larger_images_later_cost_as_much_more_as_their_area() -> None:
    pace = measured([16, 32], [1.0, 1.0, 1.0])
    assert pace.seconds_left(0, 3) == pytest.approx(7 * 1.0 + 10 * 4.0)
    assert pace.seconds_per_epoch() == pytest.approx((10 + 40) / 2)


def test_a_size_that_was_measured_is_not_extrapolated() -> None:
    clock = Clock()
    pace = Pace([16, 32], 10, 0.0, clock=clock)
    pace.start(0)
    for number in range(1, 11):
        clock.now += 1.0
        pace.measure(0, number)
    pace.start(0)
    clock.now += 1.5  # much less than four times as long
    pace.measure(1, 1)
    assert pace.seconds_left(1, 1) == pytest.approx(9 * 1.5)


def test_validation_counts_a_third_of_training_until_it_is_measured() -> None:
    pace = measured([32, 32], [1.0, 1.0], val_steps=3.0)
    assert pace.seconds_left(0, 2) == pytest.approx(18 + 2 * 1.0)
    pace.add_validation(4.0)
    assert pace.seconds_left(0, 2) == pytest.approx(18 + 2 * 4.0)
    assert pace.seconds_left(1, 10) == pytest.approx(4.0)


def test_time_outside_of_steps_does_not_count() -> None:
    clock = Clock()
    pace = Pace([32, 32], 10, 0.0, clock=clock)
    pace.start(0)
    for number in (1, 2):
        clock.now += 1.0
        pace.measure(0, number)
    clock.now += 100.0  # validation and a checkpoint
    pace.start(0)
    clock.now += 1.0
    pace.measure(1, 1)
    assert pace.seconds_left(1, 1) == pytest.approx(9.0)


def test_a_machine_that_becomes_slower_is_noticed() -> None:
    clock = Clock()
    pace = Pace([32], 2000, 0.0, clock=clock)
    pace.start(0)
    for number in range(1, 1001):
        clock.now += 0.5
        pace.measure(0, number)
    for number in range(1001, 1401):
        clock.now += 5.0
        pace.measure(0, number)
    assert pace.seconds_left(0, 1400) == pytest.approx(600 * 5.0, rel=0.1)


def test_before_any_step_nothing_is_known() -> None:
    assert Pace([32], 10, 2.0).seconds_left(0, 0) == 0.0
