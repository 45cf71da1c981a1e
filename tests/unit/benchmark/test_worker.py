"""The process of a contestant, and its parent's side, over real pipes."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from racing import job

from resnext.benchmark.inference import sample_of
from resnext.benchmark.process import ContestantProcess, DroppedOutError
from resnext.benchmark.worker import TURN_S, reason_of, run_turn
from resnext.errors import ConfigError

_READY = """
import json, sys
print("noise", file=sys.stderr)
json.loads(sys.stdin.readline())
print(json.dumps({"ready": True, "logits": [1.0, 2.0]}), flush=True)
"""


def made(tmp_path: Path, text: str) -> list[str]:
    script = tmp_path / "worker.py"
    script.write_text(text, encoding="utf-8")
    return [str(script)]


def ticking(step_s: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += step_s


@pytest.mark.parametrize(("run_s", "runs"), [(0.0001, 50), (0.02, 3), (1.0, 1)])
def test_a_turn_repeats_quick_runs_and_runs_slow_ones_once(run_s: float, runs: int) -> None:
    calls: list[int] = []
    wall, cpu = ticking(run_s), ticking(2 * run_s)
    wall_s, cpu_s = run_turn(
        lambda: calls.append(1), clock=lambda: next(wall), cpu_clock=lambda: next(cpu)
    )
    assert len(calls) == len(wall_s) == len(cpu_s) == runs
    assert wall_s == pytest.approx([run_s] * runs)
    assert cpu_s == pytest.approx([2 * run_s] * runs)


def test_a_warm_turn_has_one_run_that_is_not_timed() -> None:
    calls: list[int] = []
    clock = ticking(2 * TURN_S)
    wall_s, _ = run_turn(lambda: calls.append(1), warm=True, clock=lambda: next(clock))
    assert (len(calls), len(wall_s)) == (2, 1)


def test_reasons_are_one_line_and_name_the_extra_to_install() -> None:
    missing = ModuleNotFoundError("No module named 'timm'", name="timm.models")
    assert (
        reason_of(missing)
        == "needs the package timm, which is not installed: pip install 'resnext[bench]'"
    )
    assert reason_of(ConfigError("no such network")) == "no such network"
    assert reason_of(ValueError("first\nsecond")) == "ValueError: first"
    assert reason_of(MemoryError()) == "MemoryError: "


def test_a_process_that_dies_is_told_with_what_it_said_last(tmp_path: Path) -> None:
    text = _READY + "sys.stdin.readline()\nprint('it broke', file=sys.stderr)\nsys.exit(3)"
    racer = ContestantProcess(job(), made(tmp_path, text))
    with pytest.raises(DroppedOutError, match="ended with status 3: it broke"):
        racer.turn(counts=True)
    racer.stop()


def test_a_process_killed_for_its_memory_is_told_with_the_signal(tmp_path: Path) -> None:
    text = _READY + "import os, signal\nsys.stdin.readline()\nos.kill(os.getpid(), signal.SIGKILL)"
    racer = ContestantProcess(job(), made(tmp_path, text))
    with pytest.raises(DroppedOutError, match="ended with signal SIGKILL"):
        racer.turn(counts=True)
    racer.stop()


def test_turns_are_kept_only_where_they_count(tmp_path: Path) -> None:
    text = _READY + (
        "for line in sys.stdin:\n"
        "    print(json.dumps({'wall_s': [0.5], 'cpu_s': [0.25]}), flush=True)\n"
        "print(json.dumps({'peak_memory_mib': 7.0}), flush=True)\n"
    )
    racer = ContestantProcess(job(), made(tmp_path, text))
    racer.turn(counts=False)
    racer.turn(counts=True)
    assert (racer.logits, racer.wall_s, racer.cpu_s) == ([1.0, 2.0], [[0.5]], [[0.25]])
    assert racer.finish() == 7.0


@pytest.mark.slow
def test_a_real_contestant_that_a_library_lacks_gives_its_reason() -> None:
    unknown = replace(job("torchvision"), name="resnext50_1x1d")
    with pytest.raises(DroppedOutError, match="torchvision has no network named resnext50_1x1d"):
        ContestantProcess(unknown)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_real_contestant_runs_and_tells_its_memory() -> None:
    racer = ContestantProcess(replace(job("torchvision"), name="resnet18", shape=(3, 32, 32)))
    racer.turn(counts=True)
    peak_mib = racer.finish()
    assert len(racer.logits) == 10
    assert all(seconds > 0 for seconds in racer.wall_s[0])
    assert peak_mib is not None
    assert peak_mib > 40, "the weights of a ResNet-18 alone take 43 MiB"


def test_of_scores_of_every_pixel_some_are_compared() -> None:
    few, many = np.arange(12, dtype=np.float32), np.zeros((21, 200, 300), np.float32)
    many[:, ::2] = 1.0
    assert np.array_equal(sample_of(few.reshape(3, 2, 2)), few)
    sample = sample_of(many)
    assert 100_000 <= len(sample) < 200_000
    assert set(sample.tolist()) == {0.0, 1.0}
