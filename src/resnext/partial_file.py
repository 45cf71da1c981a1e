"""Completes partially downloaded files: retries, size limits, where to write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from resnext.errors import DownloadError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Patience:
    """When to give up on a failing server.

    Attributes:
        attempts: Attempts in a row without progress.
        pause_s: Seconds before the second attempt; each later one waits twice as long.
        longest_pause_s: Maximum pause.
        timeout_s: Seconds without data after which a connection counts as broken.
        window_s: Seconds over which a connection must average `min_bytes_per_s`, or it counts as
            broken; otherwise a server that sends a byte now and then could hold us forever.
        min_bytes_per_s: See `window_s`.
        without_network: Also retry if the server's name cannot be resolved, which happens now and
            then on long-running machines.
    """

    attempts: int = 5
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    timeout_s: float = 30.0
    window_s: float = 60.0
    min_bytes_per_s: float = 1024.0
    without_network: bool = False


class UnavailableError(Exception):
    """A temporary failure: the next attempt resumes."""


class OversizeError(DownloadError):
    """The server sends more than the maximum size."""


def keep_trying(
    address: str, partial: Path, patience: Patience, attempt: Callable[[], None]
) -> None:
    """Retry completing a partial file until it succeeds or patience ends.

    The count of attempts is reset whenever the file has grown at `min_bytes_per_s` or faster. A
    large file therefore survives many broken connections, while a server that starts over each time
    or sends a byte per minute cannot hold us forever.

    Raises:
        DownloadError: The last attempt failed.
    """
    longest, failures = 0, 0
    while True:
        start = time.monotonic()
        try:
            attempt()
            return
        except UnavailableError as error:
            gained = size_of(partial) - longest
            due = patience.min_bytes_per_s * (time.monotonic() - start)
            failures = 1 if gained > due else failures + 1
            longest = max(longest, size_of(partial))
            if failures == patience.attempts:
                raise DownloadError(f"{address}: {error}; tried {failures} times") from None
        time.sleep(min(patience.pause_s * 2 ** (failures - 1), patience.longest_pause_s))


def open_partial(path: Path) -> BinaryIO:
    """Open a partial file for random access; create it if missing.

    Symbolic links are not followed, as they may lead outside the cache.

    Raises:
        OSError: It cannot be opened, or is a symbolic link.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "r+b")


def size_of(partial: Path) -> int:
    """Return the current size of a file in bytes."""
    try:
        return partial.lstat().st_size
    except FileNotFoundError:
        return 0


def check_total(address: str, total: int, max_bytes: int) -> None:
    """Check received or announced bytes against the limit.

    Raises:
        OversizeError: They exceed it.
    """
    if total > max_bytes:
        raise OversizeError(
            f"{address}: has more than the expected {max_bytes:,} bytes; it is another file, or "
            "the server is faulty"
        )
