"""One process of the service: listens, reloads on SIGHUP, shuts down gracefully on SIGTERM.

Shutdown: it reports that it is not ready and asks callers to close their connections. After a
delay for load balancers to notice, it stops listening. Open connections may finish their requests,
then the process exits. Requests not finished in time are cut off with an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from resnext.files import identity_of
from resnext.serving.leaving import leave_after
from resnext.serving.service import Service
from resnext.serving.transport.connection import Connection
from resnext.serving.transport.pool import ACCEPTED_AT_ONCE, Pool, max_connections

_LOG = logging.getLogger("resnext.serving")
_QUIET_S = 0.3  # a request may be in transit on an open connection
_SILENT_S = 5.0  # the newest connections may be slow to send their first request
_BACKLOG = 2048
_CUT_OFF_S = 2.0  # to answer those that were cut off, and exit
_BODY_S = 5.0  # beyond the time for an upload, which the application answers
_WATCH_S = 1.0
_SAME_SIGNAL_S = 1.0


@dataclass(frozen=True)
class ShutdownTimes:
    """How long the shutdown may take; the process exits at most 2 s after both.

    Attributes:
        drain_s: Time from the signal to the last new connection.
        timeout_s: Time for the requests then in progress.
    """

    drain_s: float = 1.0
    timeout_s: float = 30.0


class Server(uvicorn.Server):
    """A uvicorn server with this module's shutdown, and status 0 if nothing was cut off."""

    def __init__(
        self, config: uvicorn.Config, service: Service, pool: Pool, ending: ShutdownTimes
    ) -> None:
        super().__init__(config)
        self._service = service
        self._pool = pool
        self._ending = ending
        self._asked_at = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: threading.Timer | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; asyncio accepts as many at a time as it queues, and may exceed the pool."""
        asyncio.get_running_loop().set_exception_handler(_tell_error)
        await super().startup(sockets)
        for sock in sockets or []:
            sock.listen(_BACKLOG)
        self._keep(self._pool.sweep_for_ever())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals; uvicorn would close at once and exit with the signal."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def watch(self, path: Path) -> None:
        """Reload when a file has changed and is stable again."""
        self._keep(self._watch(path))

    def _end(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._service.is_draining:
            # A second signal means exit now; but some senders signal a process and its group.
            if now > self._asked_at + _SAME_SIGNAL_S:
                self.should_exit = self.force_exit = True
                self._cut_off()
                self._leave_after(_CUT_OFF_S)
            return
        _LOG.info("draining")
        self._asked_at = now
        self._leave_after(self._ending.drain_s + self._ending.timeout_s + _CUT_OFF_S)
        self._service.drain()
        asyncio.get_running_loop().call_later(self._ending.drain_s, self._stop_listening)

    def _leave_after(self, seconds: float) -> None:
        self.stay()
        self._timer = leave_after(seconds)

    def stay(self) -> None:
        """Cancel the timed exit, since everything has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _cut_off(self) -> None:
        """Cancel the requests in progress; `Observe` answers their callers."""
        for task in self.server_state.tasks:
            task.cancel()

    def _stop_listening(self) -> None:
        self.should_exit = True

    def _reload(self) -> None:
        self._keep(asyncio.to_thread(self._service.reload))

    def _keep(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # the loop keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, path: Path) -> None:
        served = before = identity_of(path)
        while not self.should_exit:
            await asyncio.sleep(_WATCH_S)
            now = identity_of(path)
            if now not in (None, served) and now == before:  # its writer has finished
                served = now
                await asyncio.to_thread(self._service.reload)
            before = now

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, wait until open connections are idle, then close them."""
        await self._stop_accepting(sockets or [])
        loop = asyncio.get_running_loop()
        end = loop.time() + self._ending.timeout_s
        silent_end = min(end, loop.time() + _SILENT_S)
        await asyncio.sleep(_QUIET_S)
        while self._is_expecting(silent_end):
            await asyncio.sleep(_QUIET_S / 10)
        left_s = max(0.0, end - loop.time())
        self.config.timeout_graceful_shutdown = left_s  # type: ignore[assignment]  # an int there
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn would skip the application's shutdown
            await self.lifespan.shutdown()

    async def _stop_accepting(self, sockets: list[socket.socket]) -> None:
        """Close the listening sockets, but keep existing connections.

        Closing resets connections that the kernel still queues, and asyncio drops those that it
        has accepted but not yet passed to the server.
        """
        loop = asyncio.get_running_loop()
        for sock in sockets:
            loop.remove_reader(sock)
        for _ in range(2):
            await asyncio.sleep(0)  # accepted sockets become connections
        waiting = [connection for sock in sockets for connection in _accept_all(sock)]
        for server in self.servers:
            server.close()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _is_expecting(self, end: float) -> bool:
        """Return whether there is time left, and a connection without a request so far."""
        if self.force_exit or asyncio.get_running_loop().time() >= end:
            return False
        connections = self.server_state.connections
        return any(getattr(connection, "cycle", self) is None for connection in connections)


def _accept_all(sock: socket.socket) -> list[socket.socket]:
    """Accept the connections queued on a non-blocking listening socket."""
    connections: list[socket.socket] = []
    with contextlib.suppress(OSError):  # none is queued, or no descriptors are left
        while len(connections) < _BACKLOG:
            connection, _ = sock.accept()
            connection.setblocking(False)
            connections.append(connection)
    return connections


def bind(host: str, port: int) -> socket.socket:
    """Bind the port, so that a port in use is reported before the network is opened.

    It does not listen yet: until the service is up, connections are refused instead of waiting.

    Raises:
        OSError: The port is in use, or the address does not exist.
        OverflowError: The port is out of range.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Connections inherit it. Without it, the body of an answer, sent after its head, would
        # wait for the caller's acknowledgement, which is delayed by 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except (OSError, OverflowError):
        sock.close()
        raise
    return sock


def serve(
    app: FastAPI,
    service: Service,
    sock: socket.socket,
    *,
    ending: ShutdownTimes | None = None,
    watched: Path | None = None,
) -> int:
    """Answer requests until a signal arrives.

    Args:
        app: The application.
        service: The service, for reloads and the shutdown.
        sock: A bound socket; it starts to listen here.
        ending: How long the shutdown may take.
        watched: A file whose change reloads the network.

    Returns:
        0 if all accepted requests were answered, else 1.
    """
    ending = ending or ShutdownTimes()
    # Pillow warns about odd metadata in callers' images; images are checked elsewhere.
    warnings.filterwarnings("ignore", module="PIL")
    pool = Pool(max_connections(), service.limits.upload_timeout_s + _BODY_S, service.metrics)
    config = uvicorn.Config(
        app,
        http=partial(Connection, pool=pool),  # type: ignore[arg-type]  # as good as a class
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=ACCEPTED_AT_ONCE,
    )
    server = Server(config, service, pool, ending)

    async def run() -> None:
        if watched is not None:
            server.watch(watched)
        await server.serve([sock])

    try:
        asyncio.run(run())
    finally:
        server.stay()
    return 0 if service.num_cut_off == 0 else 1


def _tell_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error in the event loop: a traceback for a bug, one line for a system error."""
    error = context.get("exception")
    if isinstance(error, OSError):
        _LOG.error("%s: %s", context["message"], error.strerror)
    else:
        loop.default_exception_handler(context)
