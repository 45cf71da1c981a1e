"""Open connections, limited in number and waiting time."""

from __future__ import annotations

import asyncio
import logging
import resource
import select
from pathlib import Path

from resnext.serving.metrics import Metrics
from resnext.serving.problems import HttpError
from resnext.serving.transport.connection import Connection

MAX_CONNECTIONS = 512
"""Far more than one process answers at once; each holds at most 0.35 MB of unread bodies."""

ACCEPTED_AT_ONCE = 8
"""Connections accepted before the pool sees them."""

_MIN_CONNECTIONS = 8
_RESERVED = 48  # descriptors for files opened later, and for closing connections
_SWEEP_S = 0.5
_READ_BYTES = 64 * 2**10
_ENDED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)

_LOG = logging.getLogger("resnext.serving")


class Pool:
    """Closes connections whose callers take too long; used in the event loop only.

    When the limit is exceeded, the connection is closed that has waited longest for its caller and
    has no unread bytes. So idle or slow callers cannot block others, and a flood of them does not
    displace a request that has just arrived.

    Attributes:
        buffer: Receive buffer of the transports.
    """

    def __init__(self, max_connections: int, body_s: float, metrics: Metrics) -> None:
        """Open an empty pool.

        Args:
            max_connections: Maximum open connections.
            body_s: Time for each 64 KiB of a body.
            metrics: Counts connections and errors.
        """
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self._connections: set[Connection] = set()
        self._max_connections = max_connections
        self._body_s = body_s
        self._metrics = metrics

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._connections)

    def enter(self, newcomer: Connection) -> None:
        """Add a connection; above the limit, close one: the new one if all others are busy."""
        self._connections.add(newcomer)
        if len(self._connections) > self._max_connections:
            waiting = [one for one in self._connections if one.is_waiting()]
            unread = _with_unread(waiting)
            victim = min(waiting, key=lambda one: (one in unread, one.waits_since))
            _LOG.warning("too many connections: closed the one that waited longest")
            self.leave(victim)
            victim.transport.abort()
        self._metrics.connections.set(len(self._connections))

    def leave(self, connection: Connection) -> None:
        """Remove a connection."""
        self._connections.discard(connection)
        self._metrics.connections.set(len(self._connections))

    def count_refusal(self, problem: HttpError) -> None:
        """Count an error response that the application never saw."""
        self._metrics.count_problem(problem.code)
        _LOG.warning("refused below the application: %s", problem.code)

    async def sweep_for_ever(self) -> None:
        """Close overdue connections twice a second."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """Close connections whose callers took too long."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            if connection.is_overdue(now, self._body_s):
                connection.give_up()


def _with_unread(connections: list[Connection]) -> set[Connection]:
    """Return the connections with unread bytes."""
    poll, by_number = select.poll(), {}
    for one in connections:
        number = one.transport.get_extra_info("socket").fileno()
        if number >= 0:  # else it is closing
            poll.register(number, select.POLLIN | _ENDED)
            by_number[number] = one
    return {by_number[number] for number, event in poll.poll(0) if not event & _ENDED}


def max_connections() -> int:
    """Return how many connections the descriptors of this process allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    left = soft - _num_open_descriptors() - _RESERVED
    return max(_MIN_CONNECTIONS, min(MAX_CONNECTIONS, left))


def _num_open_descriptors() -> int:
    for folder in (Path("/proc/self/fd"), Path("/dev/fd")):
        if folder.is_dir():
            return sum(1 for _ in folder.iterdir())
    return _RESERVED
