"""What a person who reads the output through a pipe sees, and in which order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

_STOP_AT_FIRST_TEXT = """
import sys
class Stop:
    def write(self, text):
        raise SystemExit(10 + ("torch" in sys.modules))
    def flush(self):
        pass
sys.stderr = Stop()
from resnext.cli.main import main
main(sys.argv[1:])
"""

_SMALL = ("--model", "resnext_1-1_2x4d_cifar", "--threads", "1", "--device", "cpu", "--set")
_SETTINGS = ("data.num_train=200", "model.stage_widths=[16, 32]", "model.stem_width=8")


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--data", "digits"),
        ("train", "--data", "."),
        ("train", "--weights", "runs/nowhere"),
        ("benchmark", "resnext29_8x64d"),
    ],
)
def test_the_first_words_come_before_torch(words: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-c", _STOP_AT_FIRST_TEXT, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (10, b"")


def test_training_tells_data_then_time_then_epochs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "resnext", "train", "--data", "digits", "--epochs", "2"]
    done = subprocess.run(
        [*command, *_SMALL, *_SETTINGS],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    lines = done.stdout.splitlines()
    headings = [
        r"resnext \S+: loading PyTorch, then reading the images",
        r"data +digits: ",
        r"split +",
        r"guessing +",
        r"network +",
        r"training +",
        r"run folder: ",
        r"epoch 1/2  step 1/\d+  loss \d\S*  [\d,]+ images/s  about \d+:\d\d left",
        r"time +about \d\S* \w+ per epoch, \d\S* \w+ in total; estimated from the first \d step",
        r"epoch 1/2  train loss ",
        r"epoch 2/2  train loss ",
        r"kept: ",
        r"report: ",
    ]
    places = [[n for n, line in enumerate(lines) if re.match(text, line)] for text in headings]
    assert all(len(found) == 1 for found in places), done.stdout
    assert [place for (place,) in places] == sorted(place for (place,) in places)
    # steps are told at growing pauses, not each one
    assert sum("left" in line for line in lines) <= 12


@pytest.mark.slow
def test_a_benchmark_tells_its_steps_before_its_figures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "resnext", "benchmark", "resnext_1-1_2x4d_cifar"]
    done = subprocess.run(
        [*command, "--size", "32", "--rounds", "2", "--runtime", "eager"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert re.match(r"resnext \S+: loading PyTorch", lines[0])
    assert re.match(r"step 1 of 8: matrix multiplication", lines[1])
    steps = [line for line in lines if line.startswith("step ")]
    assert len(steps) <= 8
    assert all(" left" in line for line in steps[1:])
    assert lines.index("batch 1, 1 thread(s)") > lines.index(steps[-1])
