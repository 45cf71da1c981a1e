"""Downloads the small data sets, and explains what to do if that fails."""

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
    """Find a data set below a folder; download it first if it is missing.

    With several processes, one downloads and the others wait. Nothing is written if all files
    exist.

    Args:
        name: Name of the class in `torchvision.datasets`.
        root: Folder of the files.
        official_files: Files that the user can provide instead.
        find: Returns the data set if complete, otherwise None.
        fetch: Downloads or unpacks missing files.

    Returns:
        The result of `find`.

    Raises:
        DataError: The files can neither be found nor downloaded.
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
            f"{name} is not in {root} and cannot be downloaded ({error}). Download the official "
            f"file{'s' if len(official_files) > 1 else ''} {', '.join(official_files)} from "
            f"{_SITES[name]}, put them in a folder and give it: --data NAME:FOLDER"
        ) from error


def fetch_official(address: str, dest: Path, md5: str) -> None:
    """Download a file with a published MD5 sum, unless an undamaged copy exists.

    torchvision would do this without limits and, if https fails, over http.

    Raises:
        DownloadError: It cannot be downloaded, or is another file.
    """
    checksum = Checksum("md5", md5)
    if dest.is_file() and not matches(dest, checksum):
        dest.unlink()
    download(address, dest, checksum, max_bytes=_MAX_OFFICIAL_BYTES)
