"""Ctrl-C at moments of real commands: a line or a few, no trace, and nothing half written.

`--effort long` tries three times as many.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from effort import Effort
from PIL import Image
from safetensors.torch import load_file

import resnext
from resnext.cli.main import main
from resnext.runs.folder import open_run

_SOURCE = str(Path(resnext.__file__).parents[1])  # a relative path would not hold in `cwd`
_MAX_LINES = 18  # ten of them say what is trained on
# Python itself answers Ctrl-C with a trace until the first line of ours is run.
_START = (
    "import os, runpy, sys\n"
    "sys.argv = ['resnext', *sys.argv[1:]]\n"
    "os.write(1, b'started\\n')\n"
    "runpy.run_module('resnext', run_name='__main__', alter_sys=True)\n"
)
_FIRST_LINE_S = 0.1
SMALL = ["--model", "resnext_1-1_2x4d", "--image-size", "32", "--batch-size", "16"]
TRAIN = [*SMALL, "--device", "cpu", "--threads", "1", "--workers", "2", "--epochs", "2"]


@dataclass(frozen=True)
class Said:
    status: int
    text: str
    seconds: float


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and the run of a training on them."""
    place = tmp_path_factory.mktemp("moments")
    for label, name in enumerate(("cat", "dog")):
        (place / "photos" / name).mkdir(parents=True)
        for number in range(60):
            image = Image.new("RGB", (40, 40), (100 * label, 4 * number, 90))
            image.save(place / "photos" / name / f"{number}.jpg")
    words = ["train", "--data", str(place / "photos"), "--out", str(place / "run"), *TRAIN]
    assert main([*words, "--quiet"]) == 0
    return place


def _run(place: Path, words: list[str], *moments_s: float, is_group: bool = False) -> Said:
    """Run a command, and send it SIGINT so many seconds after its start."""
    process = subprocess.Popen(
        [sys.executable, "-c", _START, *words],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": _SOURCE},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        start = time.monotonic()
        for moment_s in moments_s:
            time.sleep(max(0.0, start + moment_s - time.monotonic()))
            if process.poll() is None:
                send = os.killpg if is_group else os.kill
                send(process.pid, signal.SIGINT)
        _, messages = process.communicate(timeout=120)  # results go to standard output
        return Said(process.returncode, messages.decode(), time.monotonic() - start)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _assert_calm(said: Said) -> None:
    assert said.status in (0, 130), said.text
    assert "Traceback" not in said.text
    assert "Exception ignored" not in said.text
    if said.status:
        assert "press again" in said.text or "saved" in said.text, said.text
    assert len(said.text.splitlines()) <= _MAX_LINES, said.text


def _assert_whole(run: Path) -> None:
    """Check that a run folder is none yet, or one to go on with."""
    if not (run / "config.yaml").exists():
        assert not run.exists() or all(file.name == ".writer" for file in run.iterdir())
        return
    open_run(run)
    assert (run / "environment.json").exists()
    for file in run.glob("*.safetensors"):
        assert load_file(file)


def _moments(seconds: float, num: int) -> list[float]:
    step_s = (seconds - _FIRST_LINE_S) / num
    return [_FIRST_LINE_S + step_s * number for number in range(num)]


@pytest.mark.slow
def test_training_is_calm_and_whole_at_every_moment(place: Path, effort: Effort) -> None:
    words = ["train", "--data", "photos", *TRAIN, "--out"]
    seconds = _run(place, [*words, "whole"]).seconds
    interrupted = []
    for number, moment_s in enumerate(_moments(seconds, 3 * effort.num_kills)):
        run = place / f"run{number}"
        _assert_calm(_run(place, [*words, run.name], moment_s, is_group=number % 2 == 1))
        _assert_whole(run)
        if (run / "config.yaml").exists() and not (run / "report.html").exists():
            interrupted.append(run)
    assert interrupted
    said = _run(place, ["train", "--resume", interrupted[0].name])
    assert said.status == 0
    assert not list(interrupted[0].glob("*.partial"))


@pytest.mark.slow
def test_a_second_ctrl_c_ends_training_at_once_and_leaves_it_whole(
    place: Path, effort: Effort
) -> None:
    words = ["train", "--data", "photos", *TRAIN[:-1], "200", "--out"]
    for number in range(effort.num_kills):
        run = place / f"twice{number}"
        moment_s = 2.5 + 0.4 * number
        said = _run(place, [*words, run.name], moment_s, moment_s + 0.7, is_group=True)
        _assert_calm(said)
        assert said.status == 130
        _assert_whole(run)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "evaluate run --data photos --device cpu --workers 2 --report OUT.html",
        "predict run photos --device cpu --json",
        "export run --to onnx --out OUT.onnx",
        "pack photos OUT --workers 2 --shard-mib 0.02",
        "design --like resnet50 --cardinality 8",
        "describe resnext50_32x4d --compare resnet50",
        "features run photos --device cpu --out OUT.parquet",
        "probe run photos --device cpu",
        "publish run --to OUT",
        "benchmark resnext_1-1_2x4d --size 32",
        "study run table3 --scale small --data photos --set schedule.epochs=1 --root OUT",
        "weights list",
    ],
)
def test_every_verb_is_calm_at_every_moment(place: Path, line: str, effort: Effort) -> None:
    words = line.split()
    for number, moment_s in enumerate(_moments(6.0, effort.num_kills)):
        named = [word.replace("OUT", f"{words[0]}{number}") for word in words]
        _assert_calm(_run(place, named, moment_s, is_group=number % 2 == 1))


@pytest.mark.slow
def test_a_service_that_is_made_ready_is_left_at_once(place: Path, effort: Effort) -> None:
    for moment_s in _moments(3.0, effort.num_kills):
        said = _run(place, ["serve", "run", "--port", "0"], moment_s)
        assert said.status in (0, 130)
        assert "Traceback" not in said.text
