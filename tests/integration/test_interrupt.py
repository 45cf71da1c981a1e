"""Signals, a full disk, a loss that is not a number: one message, and nothing lost."""

import os
import resource
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from runs import assert_same_bits, end_of, finish, small_run, start_command, tensors_of

from resnext.errors import CheckpointError, TrainingError
from resnext.runs.config import OptimConfig, ScheduleConfig
from resnext.runs.folder import open_run, write_config
from resnext.training.checkpoint_file import CheckpointFiles
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    config = small_run(schedule=ScheduleConfig(kind="cosine", epochs=8))
    finish(config, tmp_path / "reference")
    run, settings, output = tmp_path / "run", tmp_path / "settings", tmp_path / "output.txt"
    settings.mkdir()
    write_config(settings, config)
    process = start_command(output, "train", "--config", settings, "--out", run)
    while not (run / "last.safetensors").exists():
        assert process.is_alive()
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, number)
    assert end_of(process) == 128 + number
    message = output.read_text()
    assert f"stopped by {number.name} and saved at epoch" in message
    assert f"resume with: resnext train --resume {run}" in message
    assert "Traceback" not in message
    finish(open_run(run), run)
    assert_same_bits(run, tmp_path / "reference")


def test_a_loss_that_is_not_a_number_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(small_run(), run)
    _forget_settings(run)
    before = (run / "last.safetensors").read_bytes()
    config = open_run(run).replace(
        optim=OptimConfig(lr=1e30), schedule=ScheduleConfig(kind="cosine", epochs=8)
    )
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 5.*checkpoint is intact"):
        train(config, RunTarget(resume=run), Display("quiet"))
    assert (run / "last.safetensors").read_bytes() == before


@pytest.mark.parametrize("batch_size", [64, 1_438])
def test_a_loss_that_is_not_a_number_names_the_rate_that_led_to_it(
    tmp_path: Path, batch_size: int
) -> None:
    """Also at the end of a schedule, where the next rate would be 0, and in validation."""
    config = small_run().replace(
        batch_size=batch_size,
        optim=OptimConfig(lr=1e30, lr_batch_size=batch_size),
        schedule=ScheduleConfig(kind="cosine", epochs=1),
    )
    with pytest.raises(TrainingError, match=r"became nan in epoch 1.*\(learning rate (1|9\..*)e\+"):
        train(config, RunTarget(tmp_path / "run"), Display("quiet"))


def test_a_disk_without_room_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(small_run(), run)
    before = (run / "last.safetensors").read_bytes()
    config = open_run(run).replace(schedule=ScheduleConfig(kind="cosine", epochs=8))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(CheckpointError, match=r"cannot be written.*checkpoint is intact"):
            train(config, RunTarget(resume=run), Display("quiet"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert (run / "last.safetensors").read_bytes() == before
    assert tensors_of(run)


def test_a_foreign_or_torn_checkpoint_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(small_run(), run)
    _forget_settings(run)
    config = open_run(run)
    whole = (run / "last.safetensors").read_bytes()
    (run / "last.previous.safetensors").unlink()  # otherwise training goes on from that one
    (run / "last.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read as a safetensors file"):
        train(config, RunTarget(resume=run), Display("quiet"))
    (run / "last.safetensors").write_bytes((run / "best.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="is not a training checkpoint"):
        train(config, RunTarget(resume=run), Display("quiet"))
    (run / "last.safetensors").write_bytes(whole)
    with pytest.raises(CheckpointError, match="does not fit this run's config"):
        train(config.replace(ema_decay=0.9), RunTarget(resume=run), Display("quiet"))


def test_a_damaged_checkpoint_is_told_and_the_one_before_leads_to_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, reference = tmp_path / "run", tmp_path / "reference"
    finish(small_run(), run)
    shutil.copytree(run, reference)
    damaged = bytearray((run / "last.safetensors").read_bytes())
    damaged[-100] ^= 1
    (run / "last.safetensors").write_bytes(damaged)
    train(open_run(run), RunTarget(resume=run), Display("plain"))
    assert_same_bits(run, reference)
    told = capsys.readouterr().err
    assert "last.safetensors: is damaged" in told
    assert "going on from the checkpoint before it" in told


def test_both_checkpoints_damaged_is_one_error(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(small_run(), run)
    for name in ("last.safetensors", "last.previous.safetensors"):
        (run / name).write_bytes(b"")
    with pytest.raises(
        CheckpointError, match=r"last\.safetensors.*the previous one is damaged too"
    ):
        train(open_run(run), RunTarget(resume=run), Display("quiet"))


def _forget_settings(run: Path) -> None:
    """Make the checkpoint one of an earlier version, which does not hold the run's settings."""
    files = CheckpointFiles(run)
    stored = files.read()
    files.write(replace(stored, settings=""))
