"""Candidates are timed on the run's own network and batch, and leave no trace."""

import pytest
import torch
from runs import small_run
from tiny_config import TINY

from resnext.data.split import DataInfo
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training import speed_timing
from resnext.training.speed_choice import SpeedChoice
from resnext.training.speed_timing import SpeedRace

INFO = DataInfo("noise", tuple("abcdefghij"), 3, 16, (0.5,) * 3, (0.25,) * 3)
CPU = Runtime(torch.device("cpu"), torch.float32)


def _race(config: TrainConfig) -> SpeedRace:
    return SpeedRace(config.replace(batch_size=8), INFO, CPU)


def test_every_way_does_real_steps_and_is_timed_as_often() -> None:
    race = _race(small_run())
    ways = [
        SpeedChoice(layout, merge_groups=merging)
        for layout in ("channels_last", "contiguous")
        for merging in ("by_width", "always", "never")
    ]
    assert all(race.prepare(way) is not None for way in ways)
    times = race.run(ways, step_s=10.0)
    assert list(times) == ways
    assert {len(found) for found in times.values()} == {speed_timing._MIN_ROUNDS}
    assert all(second > 0 for found in times.values() for second in found)


def test_a_way_that_cannot_run_drops_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    race = _race(small_run())

    def fail(*_: object) -> None:
        raise RuntimeError("no C++ compiler\nsecond line")

    good, bad = SpeedChoice(), SpeedChoice("contiguous")
    assert race.prepare(good) is not None
    monkeypatch.setattr(speed_timing, "build_train_step", fail)
    assert race.prepare(bad) is None
    assert race.reasons == {bad.label: "no C++ compiler"}
    assert list(race.run([good, bad], step_s=10.0)) == [good]


def test_processes_time_their_share_and_the_largest_images() -> None:
    config = small_run(batch_size=64, accumulate=4, size_schedule=(0.5, 1.5), model=TINY)
    race = SpeedRace(config, INFO, Runtime(CPU.device, CPU.dtype, rank=1, world_size=3))
    batch = race._batch(SpeedChoice())
    assert batch.images_bchw.shape == (20, 3, 24, 24)  # 64 / 3, in four equal parts
    assert batch.images_bchw.is_contiguous(memory_format=torch.channels_last)
