"""A disk of few KiB, for the tests of what happens when it is full."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BLOCK_BYTES = 4096


@contextmanager
def mounted(place: Path, size_kib: int, *options: str) -> Iterator[Path]:
    """Mount a file system in memory; skips the test where that is not permitted."""
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount command")
    place.mkdir()
    words = ",".join((f"size={size_kib}k", *options))
    command = [mount, "-t", "tmpfs", "-o", words, "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, *, free_kib: int) -> Path:
    """Write a file that leaves only so much room."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 1024 * free_kib)))
    return filler


def make_read_only(disk: Path) -> None:
    """Forbid all writing, also to root."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
