"""One connection: limits on heads, answers to half-closed connections, reliable error responses.

uvicorn's httptools protocol limits neither the head of a request nor the time it takes. This one
does, below the application and its key check, and sends errors in the common form.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resnext.serving.admission import PROGRESS_BYTES
from resnext.serving.problems import HttpError
from resnext.serving.transport import refusals

if TYPE_CHECKING:
    from resnext.serving.transport.pool import Pool

MAX_HEAD_BYTES = 64 * 2**10
"""Consecutive bytes outside the body: address and headers, a chunk's extension, trailers."""

MAX_HEADERS = 128
"""Far more than browsers and proxies send; each header uses memory beyond its bytes."""

MAX_PIPELINED = 16
"""Pipelined requests that wait on one connection for earlier answers."""

HEAD_S = 10.0
LINGER_S = 2.0
TAKE_ANSWER_S = 30.0

_SLICE = 16 * 2**10  # heads are counted with this precision


class Connection(HttpToolsProtocol, asyncio.BufferedProtocol):
    """A caller's connection.

    Attributes:
        waits_since: When the connection began to wait for the caller: for a head, for 64 KiB more
            of a body, or for the caller to read an answer.
    """

    def __init__(self, *arguments: Any, pool: Pool, **options: Any) -> None:
        """Create a connection in `pool`."""
        super().__init__(*arguments, **options)
        self._pool = pool
        self.waits_since = self.loop.time()
        self._num_head_bytes = 0
        self._num_body_bytes = 0
        self._has_moved = False  # the parsed chunk had body bytes, or started or ended a head
        self._is_in_head = self._is_after_head = False
        self._is_deaf = False  # further input is discarded
        self._is_lingering = False
        self._is_write_paused = False
        self._problem: HttpError | None = None

    def is_waiting(self) -> bool:
        """Return whether the connection waits for the caller."""
        if self._is_lingering or self._is_write_paused:
            return True
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not self.pipeline

    def is_overdue(self, now: float, body_s: float) -> bool:
        """Return whether the caller takes too long.

        Args:
            now: Time of the event loop in seconds.
            body_s: Time for each 64 KiB of a body.
        """
        return self.is_waiting() and now - self.waits_since > self._allowed_s(body_s)

    def _allowed_s(self, body_s: float) -> float:
        if self._is_lingering:
            return LINGER_S
        if self.transport.get_write_buffer_size() > 0:
            return TAKE_ANSWER_S
        return HEAD_S if self._is_between_requests() else body_s

    def _is_between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def give_up(self) -> None:
        """Close a connection whose caller took too long; an incomplete head gets an answer."""
        if self._is_in_head and not self._is_deaf and not self.transport.is_closing():
            self.refuse(refusals.head_too_slow(HEAD_S))
        else:
            self.transport.abort()

    # From the transport

    # uvicorn types the transport more narrowly than the base class.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add the connection to the pool, which closes one if there are too many."""
        super().connection_made(transport)
        self._pool.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove it from the pool."""
        self._pool.leave(self)
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the base class names it
        """Return the buffer for the transport; its content is consumed before the next read."""
        return self._pool.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Consume the bytes that the transport read."""
        self.data_received(bytes(self._pool.buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        view = memoryview(data)
        for start in range(0, len(view), _SLICE):
            self._parse(view[start : start + _SLICE])
            if self._is_deaf or self.transport.is_closing():
                return

    def eof_received(self) -> bool:  # type: ignore[override]  # None in uvicorn
        """Answer a complete request even if the caller has closed its side.

        Returns:
            Whether the connection stays open for the answer.
        """
        self._is_deaf = True
        if self._is_lingering:
            return False
        if self._is_between_requests():
            if self._is_in_head:
                self.refuse(refusals.malformed("the head is incomplete"))
            return False
        if self.cycle.more_body:
            self.refuse(refusals.malformed("the body is incomplete"))
            return False
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """Record that the caller does not read its answer."""
        super().pause_writing()
        self._is_write_paused = True
        self.waits_since = self.loop.time()

    def resume_writing(self) -> None:
        """Record that the caller has read most of it."""
        super().resume_writing()
        self._is_write_paused = False
        self.waits_since = self.loop.time()

    # From the parser

    def on_message_begin(self) -> None:
        """Start a request."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop(refusals.malformed("too many requests at once"))
        super().on_message_begin()
        self._has_moved = self._is_in_head = True
        self._is_after_head = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; trailers are dropped, so that none is taken for a header."""
        if self._is_after_head:
            return
        if len(self.headers) == MAX_HEADERS:
            self._stop(refusals.too_many_headers(MAX_HEADERS))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start to handle a request."""
        super().on_headers_complete()
        self._has_moved = self._is_after_head = True
        self._is_in_head = False
        self._num_body_bytes = 0
        self.waits_since = self.loop.time()

    def on_body(self, body: bytes) -> None:
        """Forward a part of a body."""
        self._has_moved = True
        self._num_body_bytes += len(body)
        if self._num_body_bytes >= PROGRESS_BYTES:
            self._num_body_bytes = 0
            self.waits_since = self.loop.time()
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.waits_since = self.loop.time()
        super().on_response_complete()

    def _parse(self, piece: memoryview) -> None:
        self._has_moved = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:  # to a protocol that is not supported
            self._is_deaf = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self.refuse(self._problem or refusals.malformed("this is not HTTP/1.1"))
            return
        self._num_head_bytes = 0 if self._has_moved else self._num_head_bytes + len(piece)
        if self._num_head_bytes > MAX_HEAD_BYTES:
            too_long = refusals.head_too_large if self.headers else refusals.address_too_long
            self.refuse(too_long(MAX_HEAD_BYTES))

    def _stop(self, problem: HttpError) -> None:
        """Stop the parser, so that the request is refused."""
        self._problem = problem
        raise ValueError(problem.code)

    # Refusals

    def refuse(self, problem: HttpError) -> None:
        """Answer an invalid request with an error, and read no more of it.

        If complete requests precede it, they are answered instead, and the connection is closed.
        """
        self._is_deaf = True
        self._pool.count_refusal(problem)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            cycle.disconnected = True  # so that nothing more is written
            cycle.message_event.set()
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
        self.transport.write(refusals.as_http(problem))
        self._linger()

    def _linger(self) -> None:
        """Close our side, and discard further input.

        Closing with unread bytes would reset the connection, and the caller might lose the answer.
        """
        self._is_lingering = True
        self.waits_since = self.loop.time()
        with contextlib.suppress(OSError):  # the caller has reset it
            self.transport.write_eof()
