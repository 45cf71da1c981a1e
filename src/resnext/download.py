"""Downloads one file: with progress, resumed after interruptions, verified, and atomic."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from resnext.errors import DownloadError
from resnext.partial_file import Patience
from resnext.web import Progress, fetch_http

__all__ = ["Checksum", "Progress", "download", "matches", "sha256_of", "verify"]


@dataclass(frozen=True)
class Checksum:
    """The expected start of a file's digest.

    Attributes:
        algorithm: Name of the algorithm in hashlib.
        digits: Lower-case hexadecimal; publishers often give only the first eight.
    """

    algorithm: str
    digits: str


def download(
    address: str,
    dest: Path,
    checksum: Checksum | None = None,
    progress: Progress | None = None,
    *,
    max_bytes: int,
    pause_s: float = Patience.pause_s,
) -> Path:
    """Download a file unless it exists.

    It is downloaded to a `.partial` file, verified and renamed. A partial file of an earlier
    attempt is resumed; several processes wait for one another.

    Args:
        address: An http or https address.
        dest: Destination; its folder is created.
        checksum: Expected checksum; None if not published.
        progress: Called with the progress.
        max_bytes: Maximum size of the file.
        pause_s: Seconds before the second attempt; each later one waits twice as long.

    Returns:
        `dest`.

    Raises:
        DownloadError: It cannot be downloaded or written, or is not the published file.
    """
    dest.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(dest.with_name(dest.name + ".lock")):
        if dest.exists():
            return dest
        partial = dest.with_name(dest.name + ".partial")
        fetch_http(address, partial, Patience(pause_s=pause_s), progress, max_bytes=max_bytes)
        if checksum is not None and not matches(partial, checksum):
            partial.unlink()
            raise DownloadError(
                f"{address}: the download is not the published file: its {checksum.algorithm} "
                f"does not start with {checksum.digits}; it was discarded"
            )
        partial.replace(dest)
    return dest


def verify(path: Path, checksum: Checksum) -> None:
    """Compare a file with its published checksum.

    Raises:
        DownloadError: It differs.
    """
    if not matches(path, checksum):
        raise DownloadError(
            f"{path}: its {checksum.algorithm} does not start with {checksum.digits}, unlike "
            "that of the published file; it is damaged or another file: remove it and download "
            "it again"
        )


def matches(path: Path, checksum: Checksum) -> bool:
    """Return whether a file has a checksum."""
    return _digest(path, checksum.algorithm).startswith(checksum.digits)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hexadecimal."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
