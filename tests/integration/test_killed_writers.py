"""Exports, publications and conversions that are ended at any moment leave nothing behind."""

import os
import random
import signal
import time
from pathlib import Path

import pytest
from runs import end_of, start_command

NUM_KILLS = 6

pytestmark = pytest.mark.slow


def words_of(verb: str, run: Path, folder: Path) -> tuple[str | Path, ...]:
    return {
        "export": ("export", run, "--to", "torchscript", "--out", folder / "x.torchscript"),
        "openvino": ("export", run, "--to", "openvino", "--out", folder / "x.xml"),
        "publish": ("publish", run, "--to", folder / "x"),
    }[verb]


@pytest.mark.parametrize("verb", ["export", "openvino", "publish"])
def test_what_a_killed_process_leaves_the_next_one_removes(
    finished: Path, tmp_path: Path, verb: str
) -> None:
    if verb == "openvino":
        pytest.importorskip("openvino")
    folder, output, draw = tmp_path / "there", tmp_path / "output.txt", random.Random(0)
    folder.mkdir()
    words = (*words_of(verb, finished, folder), "--force" if verb != "publish" else "--overwrite")
    num_left = 0
    for number in range(NUM_KILLS):
        process = start_command(output, *words)
        while number % 2 and process.is_alive() and not any(folder.glob(".*.staging/work-*")):
            time.sleep(0.001)
        time.sleep(draw.uniform(0.0, 0.1))
        process.kill()
        process.join()
        num_left += any(folder.glob(".*"))
    assert num_left > 0
    assert end_of(start_command(output, *words)) == 0, output.read_text()
    assert list(folder.glob(".*")) == []
    assert any(folder.iterdir())


@pytest.mark.parametrize("verb", ["export", "publish"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_trace(
    finished: Path, tmp_path: Path, verb: str, number: signal.Signals
) -> None:
    folder, output = tmp_path / "there", tmp_path / "output.txt"
    folder.mkdir()
    process = start_command(output, *words_of(verb, finished, folder))
    while process.is_alive() and not any(folder.glob(".*.staging/work-*")):
        time.sleep(0.001)
    assert process.pid is not None
    os.kill(process.pid, number)
    assert end_of(process) == 128 + number, output.read_text()
    assert list(folder.iterdir()) == []
    answer = "stopping; press again to stop now\n" if number == signal.SIGINT else ""
    assert output.read_text() == answer


def test_two_at_once_do_not_write_the_same_file(finished: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / f"{number}.txt" for number in range(2)]
    words = words_of("export", finished, tmp_path)
    first = start_command(outputs[0], *words)
    while first.is_alive() and not any(tmp_path.glob(".*.staging/work-*")):
        time.sleep(0.001)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)
    try:
        assert end_of(start_command(outputs[1], *words)) == 2
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert f"is being written by process {first.pid} on" in outputs[1].read_text()
    assert end_of(first) == 0, outputs[0].read_text()
    assert (tmp_path / "x.torchscript").exists()
