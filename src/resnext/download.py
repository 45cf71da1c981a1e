"""One file from the web: with progress, going on where it stopped, checked, whole or absent."""

from __future__ import annotations

import hashlib
import http.client
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from resnext.errors import DownloadError

CHUNK_BYTES = 1 << 20
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}

Progress = Callable[[int, int | None], None]
"""Is told the bytes that are there and the bytes in all, if the server says them."""


@dataclass(frozen=True)
class Checksum:
    """What a file's digest must start with.

    Attributes:
        algorithm: As hashlib names it.
        digits: Lower-case hexadecimal; publishers often give only the first eight.
    """

    algorithm: str
    digits: str


@dataclass(frozen=True)
class Patience:
    """How long to go on with a server that fails.

    Attributes:
        attempts: Tries in a row that bring nothing new.
        pause_s: Seconds before the second try; each later one waits twice as long.
        longest_pause_s: But never longer than this.
        timeout_s: Seconds without a byte after which a connection counts as broken.
        without_network: Also try again where the server's name is not found, which a
            machine that works for days meets for a moment now and then.
    """

    attempts: int = 5
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    timeout_s: float = 30.0
    without_network: bool = False


class UnavailableError(Exception):
    """A failure that may pass: the next try goes on from what is there."""


def download(
    address: str,
    place: Path,
    checksum: Checksum | None = None,
    progress: Progress | None = None,
    *,
    pause_s: float = Patience.pause_s,
) -> Path:
    """Fetch a file unless it is there.

    It arrives beside its place under the ending `.partial`, is checked and renamed. A part
    that an earlier try left is gone on with; several processes wait for one another.

    Args:
        address: An http or https address.
        place: Where the file goes; its folder is made.
        checksum: What it must be; None where nothing was published.
        progress: Is told how far it is.
        pause_s: Seconds before the second try; each later one waits twice as long.

    Returns:
        `place`.

    Raises:
        DownloadError: It cannot be fetched or written, or is another file than published.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(place.name + ".lock")):
        if place.exists():
            return place
        partial = place.with_name(place.name + ".partial")
        fetch_http(address, partial, Patience(pause_s=pause_s), progress)
        if checksum is not None and not matches(partial, checksum):
            partial.unlink()
            raise DownloadError(
                f"{address}: what came is not the published file: its {checksum.algorithm} does "
                f"not start with {checksum.digits}; nothing was kept"
            )
        partial.replace(place)
    return place


def fetch_http(
    address: str,
    partial: Path,
    patience: Patience,
    progress: Progress | None = None,
) -> None:
    """Fetch a file from a web server into a part of it, which nobody else writes.

    Raises:
        DownloadError: It cannot be fetched.
    """
    keep_trying(address, partial, patience, lambda: _continue(address, partial, patience, progress))


def keep_trying(
    address: str, partial: Path, patience: Patience, attempt: Callable[[], None]
) -> None:
    """Repeat an attempt to complete a partial file until it succeeds or patience ends.

    Tries are counted anew whenever the file has become longer than ever before, so a large
    file survives many broken connections, and a server that always begins anew does not
    hold us for ever.

    Raises:
        DownloadError: The last try failed.
    """
    longest, failures = 0, 0
    while True:
        try:
            attempt()
            return
        except UnavailableError as error:
            there = partial.stat().st_size if partial.exists() else 0
            failures = 1 if there > longest else failures + 1
            longest = max(longest, there)
            if failures == patience.attempts:
                raise DownloadError(f"{address}: {error}; tried {failures} times") from None
        time.sleep(min(patience.pause_s * 2 ** (failures - 1), patience.longest_pause_s))


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
    with path.open("rb") as file:
        found = hashlib.file_digest(file, checksum.algorithm).hexdigest()
    return found.startswith(checksum.digits)


def _continue(address: str, partial: Path, patience: Patience, progress: Progress | None) -> None:
    """Fetch what is missing of a file."""
    there = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "resnext"})
    if there:
        request.add_header("Range", f"bytes={there}-")
    try:
        answer = urllib.request.urlopen(request, timeout=patience.timeout_s)
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            _explain_status(error, partial, there)
        return
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", error)
        if isinstance(reason, socket.gaierror) and not patience.without_network:
            raise DownloadError(f"{address}: cannot be reached ({reason.strerror})") from None
        raise UnavailableError(reason) from None
    with answer:
        if answer.status != 206:  # the server begins anew
            there = 0
        length = answer.headers.get("Content-Length")
        _receive(answer, partial, there, there + int(length) if length else None, progress)


def _receive(
    answer: http.client.HTTPResponse,
    partial: Path,
    there: int,
    total: int | None,
    progress: Progress | None,
) -> None:
    with partial.open("r+b" if there else "wb") as file:
        file.seek(there)
        while chunk := _read(answer):
            file.write(chunk)
            there += len(chunk)
            if progress is not None:
                progress(there, total)
    if total is not None and there < total:
        raise UnavailableError(f"the connection ended after {there} of {total} bytes")


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(CHUNK_BYTES)  # what has come, so that a broken connection loses little
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(error) from None


def _explain_status(error: urllib.error.HTTPError, partial: Path, there: int) -> None:
    if error.code == 416 and there:  # nothing left to send: whole, or of another file
        size = error.headers.get("Content-Range", "").rpartition("/")[2]
        if size == str(there):
            return
        partial.unlink()
        raise UnavailableError("what was there was not a part of this file")
    if error.code in _TRY_AGAIN:
        raise UnavailableError(f"the server answers {error.code} {error.reason}")
    raise DownloadError(
        f"{error.url}: the server answers {error.code} {error.reason}; the file may have moved"
    )
