"""Two processes never write into one run: the second one names the first, or waits for it."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from runs import end_of, epochs_of, small_run, start_command

from resnext.runs.config import ScheduleConfig
from resnext.runs.folder import write_config

NUM_EPOCHS = 12

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    config = small_run(schedule=ScheduleConfig(kind="cosine", epochs=NUM_EPOCHS))
    write_config(folder, config.replace(checkpoint_minutes=0.001))
    return folder


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    for process in multiprocessing.active_children():
        process.kill()  # also one that a failed test left stopped


def begin(settings: Path, run: Path, *more: str) -> BaseProcess:
    output = run.with_name("first.txt")
    process = start_command(output, "train", "--config", settings, "--out", run, *more)
    await_file(process, run / "last.safetensors")
    return process


def await_file(process: BaseProcess, file: Path) -> None:
    while not file.exists():
        assert process.is_alive()
        time.sleep(0.01)


def test_a_second_resume_names_the_process_that_writes_and_changes_nothing(
    settings: Path, tmp_path: Path
) -> None:
    run, output = tmp_path / "run", tmp_path / "second.txt"
    first = begin(settings, run)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)  # so that it cannot end before the second one begins
    before = (run / "last.safetensors").read_bytes()
    assert end_of(start_command(output, "train", "--resume", run, "--quiet")) == 2
    told = output.read_text()
    assert f"{run} is in use: process {first.pid} on {os.uname().nodename} since 20" in told
    assert "Traceback" not in told
    assert (run / "last.safetensors").read_bytes() == before
    os.kill(first.pid, signal.SIGCONT)
    assert end_of(first) == 0
    assert epochs_of(run) == list(range(1, NUM_EPOCHS + 1))


def test_a_killed_writer_blocks_nobody(settings: Path, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "second.txt"
    first = begin(settings, run)
    first.kill()
    first.join()
    begun = time.monotonic()
    assert end_of(start_command(output, "train", "--resume", run)) == 0, output.read_text()
    assert "waiting" not in output.read_text()
    assert time.monotonic() - begun < 90  # it did not wait for the claim to go stale
    assert epochs_of(run) == list(range(1, NUM_EPOCHS + 1))


def test_two_starts_that_may_continue_take_turns(settings: Path, tmp_path: Path) -> None:
    run, output = tmp_path / "run", tmp_path / "second.txt"
    first = begin(settings, run, "--continue")
    words = ("train", "--config", settings, "--out", run, "--continue")
    second = start_command(output, *words)
    assert end_of(first) == 0, (tmp_path / "first.txt").read_text()
    assert end_of(second) == 0, output.read_text()
    assert epochs_of(run) == list(range(1, NUM_EPOCHS + 1))


def test_of_starts_at_the_same_moment_one_makes_the_run(settings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outputs = [tmp_path / f"{number}.txt" for number in range(3)]
    words = ("train", "--config", settings, "--out", run)
    processes = [start_command(output, *words) for output in outputs]
    assert sorted(end_of(process) or 0 for process in processes) == [0, 2, 2]
    told = [output.read_text() for output in outputs]
    refused = [text for text in told if "resnext: error" in text]
    assert len(refused) == 2
    assert all("is in use: process" in text or "is not empty" in text for text in refused)
    assert epochs_of(run) == list(range(1, NUM_EPOCHS + 1))


def test_a_writer_that_was_taken_over_stops_writing(settings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = begin(settings, run)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    holder = {"host": "other-host", "pid": 7, "system": "other", "started": "1"}
    (run / ".writer" / "claim-000002").write_text(json.dumps(holder))
    os.kill(first.pid, signal.SIGCONT)
    assert end_of(first) == 2
    told = (tmp_path / "first.txt").read_text()
    assert f"process 7 on other-host has taken over {run}" in told
    assert "Traceback" not in told
    assert NUM_EPOCHS not in epochs_of(run)
