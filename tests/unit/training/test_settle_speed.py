"""What is left open by speed: timed for long runs, looked up for short ones, and then kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_config import TINY

from resnext.data.array_split import ArraySplit
from resnext.data.split import DataInfo, DataSet
from resnext.runs.config import RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training import settle_speed as module
from resnext.training.settle_speed import COMPILE_S, SHORT_S, settle_by_table, settle_speed
from resnext.training.speed_choice import SpeedChoice, choice_of
from resnext.training.speed_table import look_up

CPU = Runtime(torch.device("cpu"), torch.float32)
OPEN = RuntimeConfig(device="cpu", layout="auto", compile="auto", merge_groups="auto")
NUM_STEPS = 1000  # of a run: 100 epochs of 10
DATA = DataSet(
    DataInfo("noise", tuple("abcdefghij"), 3, 8, (0.5,) * 3, (0.25,) * 3),
    ArraySplit(torch.zeros(80, 8, 8, 3, dtype=torch.uint8), torch.arange(80) % 10),
    ArraySplit(torch.zeros(10, 8, 8, 3, dtype=torch.uint8), torch.arange(10)),
)
CONFIG = TrainConfig(model=TINY, runtime=OPEN, batch_size=8, schedule=ScheduleConfig(epochs=100))
LAST, CONTIGUOUS = SpeedChoice(), SpeedChoice("contiguous")


class FakeRace:
    """Steps of known seconds; what has none fails."""

    seconds: dict[SpeedChoice, float]
    prepared: list[SpeedChoice]

    def __init__(self, *_: object) -> None:
        self.reasons: dict[str, str] = {}

    def prepare(self, choice: SpeedChoice) -> float | None:
        self.prepared.append(choice)
        if choice not in self.seconds:
            self.reasons[choice.label] = "no compiler"
        return self.seconds.get(choice)

    def run(self, choices: list[SpeedChoice], step_s: float) -> dict[SpeedChoice, list[float]]:
        del step_s
        return {choice: [self.seconds[choice]] * 3 for choice in choices if choice in self.seconds}

    def release(self) -> None:
        """Nothing is held."""


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[SpeedChoice, float]], None]:
    def let(seconds: dict[SpeedChoice, float]) -> None:
        FakeRace.seconds, FakeRace.prepared = seconds, []

    monkeypatch.setattr(module, "SpeedRace", FakeRace)
    return let


def _settle(config: TrainConfig = CONFIG) -> tuple[SpeedChoice, dict[str, Any]]:
    settled, record = settle_speed(config, DATA, CPU, None, tell=lambda _: None)
    assert record is not None
    return choice_of(settled.runtime), record


def _all(step_s: float, **fast: float) -> dict[SpeedChoice, float]:
    """Return seconds of every way to run TINY, whose groups are narrow."""
    ways = [LAST, replace(LAST, merge_groups="always")]
    ways += [CONTIGUOUS, replace(CONTIGUOUS, merge_groups="never")]
    return dict.fromkeys(ways, step_s) | {CONTIGUOUS: fast.get("contiguous", step_s)}


def test_a_short_run_goes_by_the_table(race: Callable[..., None]) -> None:
    race(_all(0.9 * SHORT_S / NUM_STEPS, contiguous=1e-6))
    choice, record = _settle()
    assert choice == look_up("cpu", TINY).choice
    assert record["source"].startswith("from the table")
    assert record["step_s"] == {}


def test_a_longer_run_takes_what_is_fastest_on_its_own_steps(race: Callable[..., None]) -> None:
    step_s = 1.1 * SHORT_S / NUM_STEPS
    race(_all(step_s, contiguous=step_s / 2))
    choice, record = _settle()
    assert choice == CONTIGUOUS
    assert record["step_s"][CONTIGUOUS.label] == [step_s / 2] * 3
    assert record["estimated_training_s"] == pytest.approx(step_s * NUM_STEPS, rel=1e-3)
    assert not any(candidate.compile for candidate in FakeRace.prepared)  # not worth its time


def test_a_gain_within_the_noise_changes_nothing(race: Callable[..., None]) -> None:
    race(_all(1.0, contiguous=0.98))
    assert _settle()[0] == look_up("cpu", TINY).choice


def test_a_long_run_tries_the_compiler_on_the_best_layout(race: Callable[..., None]) -> None:
    step_s = 1.1 * COMPILE_S / NUM_STEPS
    compiled = SpeedChoice("contiguous", compile=True)
    race(_all(step_s, contiguous=0.9 * step_s) | {compiled: 0.5 * step_s})
    assert _settle()[0] == compiled


def test_a_compiler_that_fails_is_recorded_and_does_no_harm(race: Callable[..., None]) -> None:
    step_s = 1.1 * COMPILE_S / NUM_STEPS
    race(_all(step_s, contiguous=0.9 * step_s))
    choice, record = _settle()
    assert choice == CONTIGUOUS
    assert record["dropped_out"] == {replace(CONTIGUOUS, compile=True).label: "no compiler"}


def test_too_few_steps_are_not_spent_on_timing(race: Callable[..., None]) -> None:
    race(_all(100.0, contiguous=50.0))
    few = CONFIG.replace(schedule=ScheduleConfig(epochs=2), runtime=OPEN.replace(compile=False))
    assert _settle(few)[0] == look_up("cpu", TINY).choice


def test_what_is_given_stays(race: Callable[..., None]) -> None:
    race(_all(10.0, contiguous=1.0))
    given = CONFIG.replace(runtime=OPEN.replace(layout="channels_last", compile=False))
    assert _settle(given)[0].layout == "channels_last"
    assert all(choice.layout == "channels_last" for choice in FakeRace.prepared)


def test_nothing_open_is_nothing_to_do() -> None:
    config = CONFIG.replace(runtime=RuntimeConfig(device="cpu"))
    assert settle_speed(config, DATA, CPU, None, tell=lambda _: None) == (config, None)


def test_a_run_that_goes_on_keeps_its_choice() -> None:
    begun = CONFIG.replace(runtime=choice_settings(SpeedChoice("contiguous", compile=True)))
    assert settle_speed(CONFIG, DATA, CPU, begun, tell=lambda _: None) == (begun, None)


def choice_settings(choice: SpeedChoice) -> RuntimeConfig:
    return choice.settle(OPEN)


def test_the_table_settles_everything_at_once() -> None:
    assert not settle_by_table(CONFIG, CPU).runtime.is_open
