import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from resnext.errors import RunError
from resnext.studies.execution import executor as executors
from resnext.studies.execution.attempts import Status, last_words
from resnext.studies.execution.executor import LocalExecutor, TrialResources


class FakeProcess:
    """A child that has ended, or runs for ever."""

    started: list["FakeProcess"]
    pid = 1

    def __init__(self, command: list[str], env: dict[str, str], **_: Any) -> None:
        self.command, self.env = command, env
        reader, writer = os.pipe()
        os.close(reader)
        self.stdin = os.fdopen(writer, "wb")
        self.status: int | None = None
        FakeProcess.started.append(self)

    def poll(self) -> int | None:
        return self.status


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    FakeProcess.started = []
    monkeypatch.setattr("subprocess.Popen", FakeProcess)
    return FakeProcess.started


def folders(root: Path, num: int) -> list[Path]:
    for number in range(num):
        (root / str(number)).mkdir()
    return [root / str(number) for number in range(num)]


def end_all(started: list[FakeProcess]) -> None:
    for child in started:
        child.stdin.close()


def test_a_child_is_told_its_threads_and_decoders(
    tmp_path: Path, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_visible_gpus", list)
    LocalExecutor(TrialResources(threads=3, processes=2, workers=5), jobs=1).start(tmp_path)
    assert {"--workers=5", "--watch-stdin"} <= set(started[0].command)
    assert {started[0].env[f"{kind}_NUM_THREADS"] for kind in ("OMP", "MKL")} == {"3"}
    end_all(started)


def test_trials_at_once_share_the_gpus_and_a_place_is_used_again(
    tmp_path: Path, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_visible_gpus", lambda: ["0", "1", "2", "3"])
    executor = LocalExecutor(TrialResources(threads=1, processes=2), jobs=2)
    first, second, third = folders(tmp_path, 3)
    executor.start(first)
    executor.start(second)
    started[0].status = 0
    assert executor.ended() == [(first, 0)]
    executor.start(third)
    assert [child.env["CUDA_VISIBLE_DEVICES"] for child in started] == ["0,1", "2,3", "0,1"]
    end_all(started)


def test_more_trials_than_gpus_take_them_in_turns(
    tmp_path: Path, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_visible_gpus", lambda: ["4", "7"])
    executor = LocalExecutor(TrialResources(threads=1), jobs=4)
    for folder in folders(tmp_path, 4):
        executor.start(folder)
    assert [child.env["CUDA_VISIBLE_DEVICES"] for child in started] == ["4", "7", "4", "7"]
    end_all(started)


def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_visible_gpus", list)
    (tmp_path / "log.txt").mkdir()  # root may write wherever it likes, but not there
    with pytest.raises(RunError, match=r"cannot write into .*another --root"):
        LocalExecutor(TrialResources(threads=1), jobs=1).start(tmp_path)
    assert not started


def test_a_kill_by_the_kernel_for_memory_is_told_from_another(
    tmp_path: Path, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_visible_gpus", list)
    counts = iter([5, 5, 5, 6])
    monkeypatch.setattr(executors, "_count_oom_kills", lambda: next(counts))
    executor = LocalExecutor(TrialResources(threads=1), jobs=1)
    first, second = folders(tmp_path, 2)
    for folder in (first, second):
        executor.start(folder)
        started[-1].status = -signal.SIGKILL
        (found,) = executor.ended()
        expected = -signal.SIGKILL if folder == first else Status.OUT_OF_MEMORY
        assert found == (folder, expected)
    assert "out of memory" in last_words(second)


def test_a_stopped_and_a_killed_child_end(tmp_path: Path) -> None:
    executor = LocalExecutor(TrialResources(threads=1), jobs=2)
    first, second = folders(tmp_path, 2)
    executor.start(first)
    executor.start(second)
    executor.stop(first)
    executor.kill()
    end = time.monotonic() + 30
    found: dict[Path, int] = {}
    while len(found) < 2 and time.monotonic() < end:
        found |= dict(executor.ended())
    assert found[second] == -signal.SIGKILL
    assert found[first] in (-signal.SIGTERM, -signal.SIGKILL)
