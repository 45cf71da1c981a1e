"""The learning rate over time, held against the formulas."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig
from resnext.training.schedule import lr_factor, num_head_steps, peak_lr, train_size_px


def test_the_rate_grows_with_the_batch_as_the_paper_scales_it() -> None:
    optim = OptimConfig(lr=0.1, lr_batch_size=128)
    assert peak_lr(optim, 64) == pytest.approx(0.05)
    assert peak_lr(optim, 32) == pytest.approx(0.025)


def test_steps_divide_by_ten_at_the_papers_epochs() -> None:
    schedule = ScheduleConfig(kind="step", epochs=300, milestones=(0.5, 0.75))
    factors = [lr_factor(schedule, epoch * 10, 3000) for epoch in (0, 149, 150, 224, 225, 299)]
    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_cosine_follows_half_a_cosine_after_warm_up() -> None:
    schedule = ScheduleConfig(kind="cosine", warmup=0.2)
    for step in range(20, 100):
        expected = 0.5 * (1 + math.cos(math.pi * (step - 20) / 80))
        assert lr_factor(schedule, step, 100) == pytest.approx(expected)


def test_one_cycle_rises_and_falls_linearly_to_its_end() -> None:
    schedule = ScheduleConfig(kind="onecycle", warmup=0.25, final=0.1)
    factors = [lr_factor(schedule, step, 100) for step in range(100)]
    assert max(factors) == factors[25] == 1.0
    rises = [b - a for a, b in itertools.pairwise(factors[:25])]
    falls = [a - b for a, b in itertools.pairwise(factors[25:])]
    assert rises == pytest.approx([1 / 26] * 24)
    assert falls == pytest.approx([0.9 / 75] * 74)


@given(
    st.sampled_from(["step", "cosine", "onecycle"]),
    st.floats(0, 0.9),
    st.integers(1, 1000),
    st.data(),
)
def test_a_factor_is_positive_and_at_most_one(
    kind: str, warmup: float, total: int, data: st.DataObject
) -> None:
    step = data.draw(st.integers(0, total - 1))
    schedule = ScheduleConfig(kind=kind, warmup=warmup)
    assert 0 < lr_factor(schedule, step, total) <= 1


def test_the_schedule_begins_behind_the_steps_of_the_classifier_alone() -> None:
    plain = ScheduleConfig(kind="cosine", warmup=0.2, final=0.1)
    schedule = plain.replace(head_first=0.25)
    assert num_head_steps(schedule, 40) == 10
    factors = [lr_factor(schedule, step, 40) for step in range(40)]
    assert factors[:10] == [1.0] * 10
    assert factors[10:] == [lr_factor(plain, step, 30) for step in range(30)]


@given(st.floats(0, 0.999), st.integers(1, 1000))
def test_at_least_one_step_trains_all(head_first: float, total: int) -> None:
    assert 0 <= num_head_steps(ScheduleConfig(head_first=head_first), total) < total


@pytest.mark.parametrize("side_px", [1, 8, 29, 33, 225])
def test_images_of_the_full_size_keep_it_and_smaller_ones_are_even(side_px: int) -> None:
    config = TrainConfig(size_schedule=(0.5, 1.0)).replace(schedule=ScheduleConfig(epochs=2))
    assert train_size_px(config, 1, side_px) == side_px
    half_px = train_size_px(config, 0, side_px)
    assert half_px % 2 == 0
    assert abs(half_px - side_px / 2) <= max(1, 2 - side_px / 2)
