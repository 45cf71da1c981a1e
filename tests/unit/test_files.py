"""Files are read as one, whoever replaces them."""

import os
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from resnext.files import read_whole, write_whole


def test_a_file_that_was_replaced_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "old")
    seen: list[str] = []

    def read(path: Path) -> str:
        seen.append(path.read_text())
        if len(seen) == 1:
            write_whole(path, "new")
        return seen[-1]

    assert read_whole(file, read) == "new"
    assert seen == ["old", "new"]


def test_an_error_counts_unless_the_file_was_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "old")
    calls: list[Path] = []

    def fail(path: Path) -> str:
        calls.append(path)
        if len(calls) == 1:
            write_whole(path, "new")
        raise ValueError(path.read_text())

    with pytest.raises(ValueError, match="new"):
        read_whole(file, fail)
    assert len(calls) == 2


def test_a_file_that_is_missing_or_goes_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with pytest.raises(FileNotFoundError):
        read_whole(file, Path.read_text)
    write_whole(file, "old")

    def remove(path: Path) -> str:
        path.unlink()
        return path.read_text()

    with pytest.raises(FileNotFoundError):
        read_whole(file, remove)


def test_a_file_system_that_never_tells_the_same_inode_twice_is_no_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    write_whole(file, "text")
    numbers = count()
    monkeypatch.setattr("resnext.files.identity_of", lambda _: (next(numbers), 0, 0))
    assert read_whole(file, Path.read_text) == "text"


def test_what_a_killed_writer_of_a_shared_file_left_goes_with_the_next_write(
    tmp_path: Path,
) -> None:
    host, ended = socket.gethostname(), subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = tmp_path / "evaluation [1].json"
    left = [f"{path.name}.{host}.{ended.pid}.partial"]
    kept = [
        f"{path.name}.{host}.{os.getppid()}.partial",
        f"{path.name}.elsewhere.{ended.pid}.partial",
        f"other.json.{host}.{ended.pid}.partial",
        f"{path.name}.{host}.x.partial",
    ]
    for name in (*left, *kept):
        (tmp_path / name).write_text("{")
    old = tmp_path / f"{path.name}.elsewhere.1.partial"
    old.write_text("{")
    os.utime(old, (0, 0))
    write_whole(path, "{}", is_shared=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([path.name, *kept])
