"""Downloads from untrusted web servers, with limits on size, time and redirects.

The server, or anyone on the path to a server without TLS, may be hostile. It can announce one size
and send another, never stop, send a byte per minute, or redirect to another protocol.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from resnext.errors import DownloadError
from resnext.partial_file import (
    CHUNK_BYTES,
    Patience,
    UnavailableError,
    check_total,
    keep_trying,
    open_partial,
    size_of,
)
from resnext.slow_server import Watch
from resnext.untrusted.names import shown
from resnext.untrusted.text import printable

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the total, if the server sends it."""

MAX_REDIRECTS = 5
_NO_WAY = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH}
_REDIRECTS = {301, 302, 303, 307, 308}
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_SIZE = re.compile(r"[0-9]{1,15}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15}|\*)")


def fetch_http(
    address: str,
    partial: Path,
    patience: Patience,
    progress: Progress | None = None,
    *,
    max_bytes: int,
) -> None:
    """Download a file from a web server into a partial file; no other process may write it.

    Args:
        address: An http or https address.
        partial: The partial file, if any; the rest is appended.
        patience: When to give up.
        progress: See `Progress`.
        max_bytes: Maximum size of the file; nothing beyond it is written.

    Raises:
        DownloadError: It cannot be downloaded; an `OversizeError` if it is too large.
    """
    if urlsplit(address).scheme.lower() not in ("http", "https"):
        raise DownloadError(f"{address}: is not a web address; give http:// or https://")
    keep_trying(
        address,
        partial,
        patience,
        lambda: _Attempt(address, partial, patience, progress, max_bytes).run(),
    )


class _Attempt:
    """One attempt to download the rest of a file."""

    def __init__(
        self,
        address: str,
        partial: Path,
        patience: Patience,
        progress: Progress | None,
        max_bytes: int,
    ) -> None:
        self._address, self._partial, self._patience = address, partial, patience
        self._progress, self._max_bytes = progress, max_bytes
        if size_of(partial) > max_bytes:
            partial.unlink()  # of another file
        self._there = size_of(partial)

    def run(self) -> None:
        with Watch(self._patience) as watch:
            try:
                answer = self._ask(watch)
                if answer is None:
                    return
                with answer:
                    self._receive(answer, watch)
            except UnavailableError:
                watch.check()  # why the connection ended
                raise
            watch.check()

    def _ask(self, watch: Watch) -> http.client.HTTPResponse | None:
        """Send the request and follow redirects; return None if nothing is missing."""
        address = self._address
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = self._open(address, watch)
            except urllib.error.HTTPError as error:
                with error:  # it holds the connection
                    if error.code not in _REDIRECTS:
                        self._explain_status(error)
                        return None
                    address = _redirected(self._address, address, error.headers.get("Location"))
                continue
            if answer.status not in (200, 206):
                answer.close()
                raise DownloadError(
                    f"{self._address}: the server responded with {answer.status} instead of a file"
                )
            return answer
        raise DownloadError(f"{self._address}: redirects more than {MAX_REDIRECTS} times")

    def _open(self, address: str, watch: Watch) -> http.client.HTTPResponse:
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "resnext"})
            if self._there:
                request.add_header("Range", f"bytes={self._there}-")
            answer: http.client.HTTPResponse = watch.opener.open(
                request, timeout=self._patience.timeout_s
            )
            return answer
        except urllib.error.HTTPError:
            raise
        except (http.client.InvalidURL, ValueError) as error:
            raise DownloadError(f"{self._address}: is not a web address ({error})") from None
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", error)
            if isinstance(reason, socket.gaierror) and not self._patience.without_network:
                text = f"{self._address}: cannot be reached ({reason.strerror})"
                raise DownloadError(text) from None
            is_absent = isinstance(reason, OSError) and reason.errno in _NO_WAY
            if is_absent and not self._there and not self._patience.without_network:
                raise DownloadError(
                    f"{self._address}: cannot be reached ({_one_line(reason)})"
                ) from None
            raise UnavailableError(_one_line(reason)) from None

    def _receive(self, answer: http.client.HTTPResponse, watch: Watch) -> None:
        total = self._read_header(answer)
        if total is not None:
            check_total(self._address, total, self._max_bytes)
        with open_partial(self._partial) as file:
            file.truncate(self._there)
            file.seek(self._there)
            while chunk := _read(answer):
                self._there += len(chunk)
                check_total(self._address, self._there, self._max_bytes)
                file.write(chunk)
                watch.num_bytes += len(chunk)
                if self._progress is not None:
                    self._progress(self._there, total)
        if total is not None and self._there < total:
            raise UnavailableError(f"the connection ended after {self._there} of {total} bytes")

    def _read_header(self, answer: http.client.HTTPResponse) -> int | None:
        """Determine where the body starts in the file; return the file's size if sent."""
        coding = answer.headers.get("Content-Encoding", "identity")
        if coding.lower() != "identity":
            raise DownloadError(
                f"{self._address}: was sent with the unrequested encoding {shown(coding)}"
            )
        length = _parse_size(self._address, answer.headers.get("Content-Length"))
        if answer.status == 200:  # the server starts over
            self._there = 0
            return length
        part = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if part is None or int(part[1]) != self._there:
            self._partial.unlink(missing_ok=True)
            raise UnavailableError("the server sent a different part of the file than requested")
        return None if length is None else self._there + length

    def _explain_status(self, error: urllib.error.HTTPError) -> None:
        status = printable(f"{error.code} {error.reason}")
        if error.code == 416 and self._there:  # nothing left to send: whole, or of another file
            if error.headers.get("Content-Range", "").rpartition("/")[2] == str(self._there):
                return
            self._partial.unlink()
            raise UnavailableError("the partial file was not a part of this file")
        if error.code in _TRY_AGAIN:
            raise UnavailableError(f"the server responded with {status}")
        raise DownloadError(
            f"{self._address}: the server responded with {status}; the file may have moved"
        )


def _redirected(first: str, address: str, location: str | None) -> str:
    """Return the target of a redirect, if it may be followed.

    Raises:
        DownloadError: It leads to another protocol, from https to http, or contains a password.
    """
    schemes = ("https",) if urlsplit(address).scheme == "https" else ("http", "https")
    try:
        target = urljoin(address, location or "")
        parts = urlsplit(target)
        is_safe = parts.scheme in schemes and parts.hostname and "@" not in parts.netloc
    except ValueError:
        is_safe = False
    if not location or not is_safe:
        raise DownloadError(
            f"{first}: the server redirects to {shown(location)}; only web addresses are "
            "followed, and never from https to http"
        )
    return target


def _parse_size(address: str, text: str | None) -> int | None:
    if text is None:
        return None
    if _SIZE.fullmatch(text) is None:
        raise DownloadError(f"{address}: the server sent an invalid size {shown(text)}")
    return int(text)


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(CHUNK_BYTES)  # what has come, so that a broken connection loses little
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnavailableError(_one_line(error)) from None


def _one_line(error: object) -> str:
    return printable(str(error))[:200] or type(error).__name__
