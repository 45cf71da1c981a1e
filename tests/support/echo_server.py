"""Connections of a real server in a thread, and callers that speak to it byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from typing import Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from waiting import eventually

from resnext.serving.metrics import Metrics
from resnext.serving.transport.connection import Connection
from resnext.serving.transport.pool import Pool


class Echo:
    """An application that reads a body and answers with its length, or with many bytes.

    Attributes:
        paths: What was asked, in order.
        headers: Of the last request.
        num_gone: Requests whose caller left before the body was there.
        may_answer: Cleared, it keeps everybody waiting.
    """

    def __init__(self, num_answer_bytes: int = 0) -> None:
        self.paths: list[str] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.num_gone = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._num_answer_bytes = num_answer_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        self.paths.append(scope["path"])
        num_bytes, is_whole = 0, False
        while not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.num_gone += 1
                return
            num_bytes += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
        while not self.may_answer.is_set():
            await asyncio.sleep(0.01)
        self.headers = scope["headers"]
        body = b"x" * self._num_answer_bytes or str(num_bytes).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class RawServer:
    """A server of `Connection`s; leaving the `with` block ends it."""

    def __init__(self, app: ASGIApp, max_connections: int = 100, body_s: float = 30) -> None:
        self.metrics = Metrics()
        self.pool = Pool(max_connections, body_s, self.metrics)
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            http=partial(Connection, pool=self.pool),  # type: ignore[arg-type]
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),))

    async def _run(self) -> None:
        sweeping = asyncio.create_task(self.pool.sweep_for_ever())
        await self._server.serve([self._socket])
        sweeping.cancel()

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    @contextlib.contextmanager
    def caller(self) -> Iterator[socket.socket]:
        """Connect."""
        with socket.create_connection(self._socket.getsockname()[:2], timeout=10) as raw:
            yield raw

    def ask(self, data: bytes, *, ends: bool = False) -> bytes:
        """Send bytes, and return all that comes until the server closes.

        Args:
            data: What to send, as far as it is taken.
            ends: Close our side afterwards.
        """
        with self.caller() as raw:
            with contextlib.suppress(ConnectionError):
                raw.sendall(data)
                if ends:
                    raw.shutdown(socket.SHUT_WR)
            return rest_of(raw)


def rest_of(raw: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := raw.recv(65536):
            parts.append(part)
    return b"".join(parts)
