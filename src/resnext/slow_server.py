"""Web connections that end if the server sends too slowly."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Any

from resnext.partial_file import Patience, UnavailableError


class Watch:
    """Ends a connection that is too slow, in any state.

    A socket timeout only limits the wait for the next byte, and headers, interim responses and
    trailers may also arrive byte by byte.
    """

    def __init__(self, patience: Patience) -> None:
        self.num_bytes = 0
        self.sock: socket.socket | None = None
        self._patience, self._is_slow = patience, False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.opener = urllib.request.OpenerDirector()  # it knows no file: and no ftp:
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.UnknownHandler(),
            _Handler(self),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            self.opener.add_handler(handler)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def check(self) -> None:
        """Raise if the connection was ended by this watch.

        Raises:
            UnavailableError: The server was too slow.
        """
        if self._is_slow:
            rate = self._patience.min_bytes_per_s
            raise UnavailableError(f"the server sends less than {rate:,g} bytes a second")

    def _work(self) -> None:
        due = self._patience.window_s * self._patience.min_bytes_per_s
        seen = 0
        while not self._done.wait(self._patience.window_s):
            if self.num_bytes - seen < due:
                if self.sock is None:
                    continue  # not connected yet, which has a limit of its own
                self._is_slow = True
                with suppress(OSError):  # it has already ended
                    # The socket's own method: that of ssl would forget the encryption.
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            seen = self.num_bytes


class _Handler(urllib.request.HTTPSHandler):
    """Opens HTTP and HTTPS connections that a watch can end."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect(http.client.HTTPConnection), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect(http.client.HTTPSConnection), request)

    def _connect(self, kind: Any) -> Any:
        watch = self._watch

        class Watched(kind):  # type: ignore[misc]  # one of two classes
            def connect(self) -> None:
                super().connect()
                watch.sock = self.sock

        return Watched

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_
