"""Completing a file that arrives in parts: how long to try, how much to take, where to write."""

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
    """When to give up on a server that fails.

    Attributes:
        attempts: Attempts in a row without progress.
        pause_s: Seconds before the second attempt; each later one waits twice as long.
        longest_pause_s: But never longer than this.
        timeout_s: Seconds without a byte after which a connection counts as broken.
        window_s: Seconds over which a connection must bring `min_bytes_per_s`, or it counts as
            broken: a server that sends a byte now and then would hold us for ever.
        min_bytes_per_s: See `window_s`.
        without_network: Also try again where the server's name is not found, which a
            machine that works for days meets for a moment now and then.
    """

    attempts: int = 5
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    timeout_s: float = 30.0
    window_s: float = 60.0
    min_bytes_per_s: float = 1024.0
    without_network: bool = False


class UnavailableError(Exception):
    """A failure that may pass: the next attempt continues from what is there."""


class OversizeError(DownloadError):
    """The server sends more than the file may have."""


def keep_trying(
    address: str, partial: Path, patience: Patience, attempt: Callable[[], None]
) -> None:
    """Repeat an attempt to complete a partial file until it succeeds or patience ends.

    The count of attempts starts again whenever the file has become longer than ever before, at
    `min_bytes_per_s` or faster. So a large file survives many broken connections, and a server
    that starts over each time or sends a byte a minute does not hold us for ever.

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
    """Open a partial file for reading and writing at any place; made if it is missing.

    A symbolic link at its place is not followed: it may lead to a file outside the cache.

    Raises:
        OSError: It cannot be opened, or a link lies there.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "r+b")


def size_of(partial: Path) -> int:
    """Return how many bytes of a file are there."""
    try:
        return partial.lstat().st_size
    except FileNotFoundError:
        return 0


def check_total(address: str, total: int, max_bytes: int) -> None:
    """Compare the bytes that have come, or were announced, with what is accepted.

    Raises:
        OversizeError: They are more.
    """
    if total > max_bytes:
        raise OversizeError(
            f"{address}: has more than the {max_bytes:,} bytes accepted; it is another file than "
            "expected, or the server is at fault"
        )
