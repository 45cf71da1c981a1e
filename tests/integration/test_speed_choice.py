"""A choice by speed is made once, kept, repeated from the settings, and changes no bit itself."""

from pathlib import Path

import pytest
from runs import assert_same_bits, small_run

from resnext.data.loading.train_loader import TrainLoader
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.training import settle_speed
from resnext.training.display import Display
from resnext.training.restart import begun_settings
from resnext.training.speed_choice import SpeedChoice
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.untrusted.parse import read_json

OPEN = RuntimeConfig(device="cpu", threads=1, layout="auto", merge_groups="auto")


@pytest.fixture(autouse=True)
def _everything_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle_speed, "SHORT_S", 0.0)
    monkeypatch.setattr(settle_speed, "_MAX_COST", 100.0)


def _train(config: TrainConfig, run: Path, *, resume: bool = False, goes_on: bool = False) -> None:
    target = RunTarget(resume=run) if resume else RunTarget(out=run, goes_on=goes_on)
    train(config, target, Display("quiet"))


class _StopError(Exception):
    """The test ends a run."""


@pytest.mark.slow
def test_a_timed_run_is_repeated_and_resumed_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut, again, plain = tmp_path / "cut", tmp_path / "again", tmp_path / "plain"
    epoch = TrainLoader.epoch

    def stop(self: TrainLoader, number: int, **settings: int) -> object:
        if number == 2:
            raise _StopError
        return epoch(self, number, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(TrainLoader, "epoch", stop)
        with pytest.raises(_StopError):
            _train(small_run(runtime=OPEN), cut)
    chosen = open_run(cut)
    record = read_json(cut / "speed.json")
    assert not chosen.runtime.is_open
    assert record["choice"]["layout"] == chosen.runtime.layout
    assert len(record["step_s"]) == 4
    _train(chosen, cut, resume=True)
    assert read_json(cut / "speed.json") == record
    _train(chosen, again)
    assert not (again / "speed.json").exists()
    assert_same_bits(cut, again)
    # Timing itself leaves no trace: the defaults give the bits of a run that timed nothing.
    kept = SpeedChoice()
    monkeypatch.setattr(settle_speed, "_choose", lambda found, _: setattr(found, "choice", kept))
    _train(small_run(runtime=OPEN), tmp_path / "timed")
    _train(small_run(), plain)
    assert_same_bits(tmp_path / "timed", plain)


@pytest.mark.slow
def test_a_repeated_start_goes_on_with_the_choice_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    _train(small_run(runtime=OPEN), run, goes_on=True)
    begun = begun_settings(run, goes_on=True)
    monkeypatch.setattr(settle_speed, "_find", lambda *_: pytest.fail("timed again"))
    _train(small_run(runtime=OPEN), run, goes_on=True)
    assert begun_settings(run, goes_on=True) == begun
