"""Runs that stop early: where they end, what they keep, and how they go on."""

from pathlib import Path

import pytest
from runs import assert_same_bits, epoch_rows, epochs_of, finish, small_run

from resnext.cli.main import main
from resnext.errors import ConfigError
from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run, write_config
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.weights.own_file import BEST, read_weights

STUCK = small_run(
    optim=OptimConfig(lr=1e-7),  # changes no prediction, so no epoch is better than the first
    freeze_norm=True,
    schedule=ScheduleConfig(kind="cosine", epochs=6),
    early_stopping=2,
)


def test_a_run_stops_early_and_goes_on_with_more_patience_bit_for_bit(tmp_path: Path) -> None:
    finish(STUCK, tmp_path / "run")
    assert epochs_of(tmp_path / "run") == [1, 2, 3]
    assert [row["stale_epochs"] for row in epoch_rows(tmp_path / "run")] == [0, 1, 2]
    begun = open_run(tmp_path / "run")
    finish(begun, tmp_path / "run")  # resumed as it is, it stays where it stopped
    assert epochs_of(tmp_path / "run") == [1, 2, 3]
    for patience, last in ((3, 4), (None, 6)):
        finish(STUCK.replace(early_stopping=patience), tmp_path / f"straight-{patience}")
        finish(begun.replace(early_stopping=patience), tmp_path / "run")
        assert epochs_of(tmp_path / "run") == list(range(1, last + 1))
        assert_same_bits(tmp_path / "run", tmp_path / f"straight-{patience}")


def test_less_patience_than_begun_with_is_another_run(tmp_path: Path) -> None:
    finish(STUCK.replace(early_stopping=3), tmp_path / "run")
    config = open_run(tmp_path / "run").replace(early_stopping=2)
    with pytest.raises(ConfigError, match="early_stopping was 3 and is 2"):
        train(config, RunTarget(resume=tmp_path / "run"), Display("quiet"))


def test_a_run_that_keeps_the_last_weights_keeps_those_where_it_stopped(tmp_path: Path) -> None:
    finish(STUCK.replace(keep="last"), tmp_path / "run")
    assert read_weights(tmp_path / "run" / BEST)[2].epoch == 3


def test_the_command_says_why_it_ended_what_is_kept_and_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(STUCK, tmp_path / "run")
    assert main(["train", "--resume", str(tmp_path / "run")]) in (0, 3)
    told = capsys.readouterr().err
    assert "stopped early after epoch 3 of 6: the validation error has not improved" in told
    kept = read_weights(tmp_path / "run" / BEST)[2].epoch
    assert f"kept: the weights of epoch {kept} of 6 (stopped after 3)" in told
    assert "set early_stopping in" in told
    assert f"resnext train --resume {tmp_path / 'run'}" in " ".join(told.split())


def test_class_weights_cannot_be_changed_under_a_run(tmp_path: Path) -> None:
    finish(small_run(schedule=ScheduleConfig(epochs=1)), tmp_path / "run")
    for weights in ("balanced", {"3": 2.0}):
        changed = open_run(tmp_path / "run").model_dump() | {"class_weights": weights}
        write_config(tmp_path / "run", TrainConfig(**changed))
        with pytest.raises(ConfigError, match="class_weights was None and is"):
            train(open_run(tmp_path / "run"), RunTarget(resume=tmp_path / "run"), Display("quiet"))
