"""Two processes train as one."""

import socket
from pathlib import Path

import pytest
import torch
from runs import TINY, finish, small_run, start, tensors_of

from resnext.data.config import AugmentConfig
from resnext.training.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.training.metrics_log import read_metrics


def _train_in_two(config: TrainConfig, run: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    processes = [start(config, run, RANK=str(rank), **place) for rank in range(2)]
    for process in processes:
        process.join(timeout=300)
    assert [process.exitcode for process in processes] == [0, 0]


def _largest_difference(first: Path, second: Path) -> float:
    found, expected = tensors_of(first), tensors_of(second)
    assert found.keys() == expected.keys()
    floats = [name for name in expected if expected[name].is_floating_point()]
    return max(float((found[name] - expected[name]).abs().max()) for name in floats)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_two_ranks_and_one_give_the_same_weights(tmp_path: Path, accumulate: int) -> None:
    config = small_run(
        model=TINY.replace(zero_init_residual=True),
        augment=AugmentConfig(crop="pad", pad_px=1, mixup=0.4),
        freeze_norm=True,  # BN's batch statistics are each process's own
        # bf16 rounds the parts of a batch apart by more than the order of a sum does
        runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
        batch_size=99,
        accumulate=accumulate,
        ema_decay=0.9,
    )
    finish(config, tmp_path / "one")
    _train_in_two(config, tmp_path / "two")
    assert _largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6


def test_two_ranks_with_batch_statistics_still_learn(tmp_path: Path) -> None:
    config = small_run(schedule=ScheduleConfig(kind="cosine", epochs=15), optim=OptimConfig(lr=0.4))
    _train_in_two(config, tmp_path / "two")
    errors = [line["top1_error"] for line in read_metrics(tmp_path / "two") if "top1_error" in line]
    assert len(errors) == config.schedule.epochs
    assert min(errors) < 20  # chance is 90
    assert all(torch.isfinite(t).all() for t in tensors_of(tmp_path / "two").values())
