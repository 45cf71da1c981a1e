"""Work in progress has a hidden folder, which nothing outlives."""

import os
import signal
import time
from pathlib import Path

import pytest

from resnext.errors import ExportError
from resnext.staging import uninterrupted, work_folder


def test_it_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    place = tmp_path / "x.onnx"
    with work_folder(place, ExportError) as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        with (
            pytest.raises(ExportError, match=rf"is being written by process {os.getpid()} on"),
            work_folder(place, ExportError),
        ):
            pass
        assert (folder / "file").exists()
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def work() -> None:
        with work_folder(tmp_path / "x", ExportError) as folder:
            (folder / "file").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".x.staging" / "work-1-2"
    left.mkdir(parents=True)
    (left / "large").touch()
    (left.parent / "claim-000001").write_text("{}")
    os.utime(left.parent / "claim-000001", (0, 0))
    (tmp_path / ".x.staging.77.removed").mkdir()
    with work_folder(tmp_path / "x", ExportError) as folder:
        assert [path.name for path in folder.parent.glob("work-*")] == [folder.name]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_files_have_been_moved(number: signal.Signals) -> None:
    done = []
    before = signal.signal(number, lambda *_: done.append("signal"))
    try:
        with uninterrupted():
            os.kill(os.getpid(), number)
            time.sleep(0.01)
            done.append("moved")
    finally:
        signal.signal(number, before)
    assert done == ["moved", "signal"]
