"""Two processes train as one."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from runs import finish, finish_in_two, largest_difference, small_run, start, start_two, tensors_of
from tiny_config import TINY

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import CheckpointError
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig
from resnext.runs.folder import open_run
from resnext.runs.metrics_log import read_metrics
from resnext.training.checkpoint_file import read_checkpoint

FROZEN = small_run(
    model=TINY.replace(zero_init_residual=True),
    augment=AugmentConfig(crop="pad", pad_px=1, mixup=0.4),
    freeze_norm=True,  # BN's batch statistics are each process's own
    # bf16 rounds the parts of a batch apart by more than the order of a sum does
    runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
    batch_size=99,
    ema_decay=0.9,
)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_two_ranks_and_one_give_the_same_weights(tmp_path: Path, accumulate: int) -> None:
    config = FROZEN.replace(accumulate=accumulate)
    finish(config, tmp_path / "one")
    finish_in_two(config, tmp_path / "two")
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
    _check_same_figures(tmp_path / "one", tmp_path / "two")


def test_two_ranks_and_one_weigh_the_classes_alike(tmp_path: Path) -> None:
    weights = {str(digit): 1.0 + digit for digit in range(10)}
    config = FROZEN.replace(class_weights=weights, label_smoothing=0.1, accumulate=3)
    finish(config, tmp_path / "one")
    finish_in_two(config, tmp_path / "two")
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
    _check_same_figures(tmp_path / "one", tmp_path / "two")
    finish(config.replace(class_weights=None), tmp_path / "plain")
    assert largest_difference(tmp_path / "one", tmp_path / "plain") > 1e-4


def test_two_ranks_stop_early_together(tmp_path: Path) -> None:
    config = FROZEN.replace(optim=OptimConfig(lr=1e-7), early_stopping=2)
    finish_in_two(config, tmp_path / "two")
    epochs = [row["epoch"] for row in read_metrics(tmp_path / "two") if row["kind"] == "epoch"]
    assert epochs == [1, 2, 3]


def _check_same_figures(one: Path, two: Path) -> None:
    """Compare what the logs tell of training; the processes share the images of a step."""
    for kind, names in (("epoch", ("train_loss", "train_top1_error")), ("train", ("loss",))):
        found, expected = (
            [r for r in read_metrics(run) if r["kind"] == kind] for run in (two, one)
        )
        assert len(found) == len(expected) > 0
        for name in names:
            wanted = pytest.approx([row[name] for row in expected], rel=1e-5)
            assert [row[name] for row in found] == wanted


def _write_images(root: Path, num: int, bad: tuple[int, ...] = ()) -> None:
    generator = np.random.default_rng(num)
    for number in range(num):
        file = root / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(file)
        if number in bad:
            file.write_bytes(b"torn")


def test_bad_files_that_any_process_met_are_listed(tmp_path: Path) -> None:
    _write_images(tmp_path / "data" / "train", 400, bad=(3, 50, 101, 222))
    _write_images(tmp_path / "data" / "val", 21, bad=())
    data = DataConfig(name="folder", root=tmp_path / "data", image_size_px=8, workers=0)
    config = FROZEN.replace(data=data, schedule=ScheduleConfig(epochs=1))
    finish(config, tmp_path / "one")
    finish_in_two(config, tmp_path / "two")
    listed = [json.loads((tmp_path / run / "bad_files.json").read_text()) for run in ("one", "two")]
    assert listed[1] == listed[0]
    assert len(listed[0]) == 4
    _check_same_figures(tmp_path / "one", tmp_path / "two")


def test_too_many_bad_files_in_all_processes_together_stop_each(tmp_path: Path) -> None:
    _write_images(tmp_path / "data" / "train", 400, bad=(3, 50, 101, 222, 230, 333))
    _write_images(tmp_path / "data" / "val", 21)
    data = DataConfig(name="folder", root=tmp_path / "data", image_size_px=8, workers=0)
    processes = start_two(FROZEN.replace(data=data), tmp_path / "two")
    for process in processes:
        process.join(timeout=300)
    assert all(process.exitcode for process in processes)
    assert len(read_metrics(tmp_path / "two")) < FROZEN.schedule.epochs * 2


def test_two_ranks_with_batch_statistics_still_learn(tmp_path: Path) -> None:
    config = small_run(schedule=ScheduleConfig(kind="cosine", epochs=15), optim=OptimConfig(lr=0.4))
    finish_in_two(config, tmp_path / "two")
    errors = [line["top1_error"] for line in read_metrics(tmp_path / "two") if "top1_error" in line]
    assert len(errors) == config.schedule.epochs
    assert min(errors) < 20  # chance is 90
    assert all(torch.isfinite(t).all() for t in tensors_of(tmp_path / "two").values())


def test_gradients_sent_in_bf16_train_nearly_the_same(tmp_path: Path) -> None:
    finish_in_two(FROZEN, tmp_path / "fp32")
    sent = FROZEN.runtime.replace(compress_gradients=True)
    finish_in_two(FROZEN.replace(runtime=sent), tmp_path / "bf16")
    # bf16 keeps 8 bits of each gradient
    assert 0 < largest_difference(tmp_path / "fp32", tmp_path / "bf16") < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, 2])
def test_another_number_of_processes_goes_on_in_mid_epoch(tmp_path: Path, first: int) -> None:
    """The weights tell: a wrong rate, a sample twice or never would change them."""
    config = FROZEN.replace(schedule=ScheduleConfig(kind="cosine", epochs=12))
    finish(config, tmp_path / "whole")
    run = tmp_path / "run"
    short = config.replace(checkpoint_minutes=0.001)
    begun = [start(short, run)] if first == 1 else start_two(short, run)
    while (step := _saved_step(run)) == 0:
        assert all(process.is_alive() for process in begun)
        time.sleep(0.01)
    for process in begun:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM)
    for process in begun:
        process.join(timeout=60)
    assert [process.exitcode for process in begun] == [128 + signal.SIGTERM] * first
    assert _saved_step(run) >= step
    if first == 1:
        finish_in_two(open_run(run), run)
    else:
        finish(open_run(run), run)
    assert largest_difference(tmp_path / "whole", run) < 1e-5
    steps = [line["step"] for line in read_metrics(run) if "top1_error" in line]
    num_steps = -(-1438 // config.batch_size)  # of the digits
    assert steps == [num_steps * (epoch + 1) for epoch in range(12)]
    losses = [
        [row["train_loss"] for row in read_metrics(r) if row["kind"] == "epoch"]
        for r in (run, tmp_path / "whole")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def _saved_step(run: Path) -> int:
    """Return the step within its epoch of the last checkpoint; 0 before there is one."""
    last = run / "last.safetensors"
    try:
        return int(json.loads(read_checkpoint(last).position)["step"]) if last.exists() else 0
    except CheckpointError:  # the file is being renamed
        return 0


@pytest.mark.slow
def test_a_process_that_hangs_ends_the_other_and_the_checkpoint_is_whole(tmp_path: Path) -> None:
    runtime = FROZEN.runtime.replace(timeout_minutes=0.1)
    config = FROZEN.replace(runtime=runtime, schedule=ScheduleConfig(kind="cosine", epochs=200))
    run = tmp_path / "run"
    first, second = start_two(config, run)
    try:
        while not (run / "last.safetensors").exists():
            assert first.is_alive()
            time.sleep(0.01)
        assert second.pid is not None
        os.kill(second.pid, signal.SIGSTOP)
        first.join(timeout=60)
        assert first.exitcode == 1
    finally:
        second.kill()
        second.join(timeout=10)
    assert read_checkpoint(run / "last.safetensors").tensors
