"""Fetch the small data sets, and say what to do where that fails."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from resnext.download import Checksum, download, matches
from resnext.errors import DataError, DownloadError

_SITES = {
    "FashionMNIST": "https://github.com/zalandoresearch/fashion-mnist",
    "CIFAR10": "https://www.cs.toronto.edu/~kriz/cifar.html",
    "CIFAR100": "https://www.cs.toronto.edu/~kriz/cifar.html",
}

_MAX_OFFICIAL_BYTES = 256 << 20  # half as much again as the largest, CIFAR-10's

_Found = TypeVar("_Found")


def find_or_fetch(
    name: str,
    root: Path,
    official_files: Sequence[str],
    find: Callable[[], _Found | None],
    fetch: Callable[[], object],
) -> _Found:
    """Find a data set below a folder; where it is missing, fetch it and find it then.

    Of several processes one fetches and the others wait. Nothing is written where all is there.

    Args:
        name: Name of the class in `torchvision.datasets`.
        root: Folder that has or gets the files.
        official_files: What a person could put there instead.
        find: Returns what is there if it is whole, else None.
        fetch: Fetches or unpacks what is missing.

    Returns:
        What `find` returns.

    Raises:
        DataError: The files can be neither found nor fetched.
    """
    try:
        found = find()
        if found is not None:
            return found
        root.mkdir(parents=True, exist_ok=True)
        # stdout may carry a JSON document
        with FileLock(root / ".fetch.lock"), contextlib.redirect_stdout(sys.stderr):
            found = find()  # another process may have fetched it meanwhile
            if found is None:
                fetch()
                found = find()
        assert found is not None
        return found
    # No network, no right to write, no space, a damaged archive: all are cured alike.
    except (OSError, RuntimeError, EOFError, DownloadError) as error:
        raise DataError(
            f"{name} is not in {root} and cannot be fetched ({error}). Get the official "
            f"file{'s' if len(official_files) > 1 else ''} {', '.join(official_files)} from "
            f"{_SITES[name]}, put them into a folder and name it: --data NAME:FOLDER"
        ) from error


def fetch_official(address: str, dest: Path, md5: str) -> None:
    """Fetch a file that has a published MD5 sum, unless it is there undamaged.

    torchvision would do this too, but without limits and, where https fails, over http.

    Raises:
        DownloadError: It cannot be fetched, or is another file.
    """
    checksum = Checksum("md5", md5)
    if dest.is_file() and not matches(dest, checksum):
        dest.unlink()
    download(address, dest, checksum, max_bytes=_MAX_OFFICIAL_BYTES)
