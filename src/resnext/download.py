"""One file from the web: with progress, resumed where it stopped, checked, whole or absent."""

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
    """What a file's digest must start with.

    Attributes:
        algorithm: As hashlib names it.
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
    """Fetch a file unless it is there.

    It arrives beside its place under the ending `.partial`, is checked and renamed. A part
    that an earlier attempt left is resumed; several processes wait for one another.

    Args:
        address: An http or https address.
        dest: Where the file goes; its folder is made.
        checksum: What it must be; None where nothing was published.
        progress: Is told how far it is.
        max_bytes: Largest size of the file.
        pause_s: Seconds before the second attempt; each later one waits twice as long.

    Returns:
        `dest`.

    Raises:
        DownloadError: It cannot be fetched or written, or is another file than published.
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
                f"{address}: what came is not the published file: its {checksum.algorithm} does "
                f"not start with {checksum.digits}; nothing was kept"
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
            f"{path}: its {checksum.algorithm} does not start with {checksum.digits}, as that of "
            "the published file does; it is damaged or another file: remove it and fetch it again"
        )


def matches(path: Path, checksum: Checksum) -> bool:
    """Tell whether a file has a checksum."""
    return _digest(path, checksum.algorithm).startswith(checksum.digits)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hexadecimal."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
