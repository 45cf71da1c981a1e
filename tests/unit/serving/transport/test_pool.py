"""How many connections there may be, and which one goes."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Callable
from typing import cast

import pytest
from echo_server import Echo, RawServer
from waiting import eventually

from resnext.serving.metrics import Metrics
from resnext.serving.transport import pool
from resnext.serving.transport.connection import Connection
from resnext.serving.transport.pool import MAX_CONNECTIONS, max_connections

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
UPLOAD = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"


def is_closed(raw: socket.socket) -> bool:
    """Tell whether the server has closed a connection on which it says nothing else."""
    raw.settimeout(0.2)
    try:
        return raw.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


@pytest.mark.slow
def test_the_connection_that_waited_longest_goes_and_the_newcomer_is_answered() -> None:
    with RawServer(Echo(), max_connections=5) as server, contextlib.ExitStack() as stack:
        callers = [stack.enter_context(server.caller()) for _ in range(12)]
        callers[-1].sendall(GET)
        assert b"200 OK" in callers[-1].recv(1000)
        assert [is_closed(raw) for raw in callers] == [True] * 7 + [False] * 5
        assert b"resnext_connections 5.0" in server.metrics.text()
    assert len(server.pool) == 0


def test_slow_uploads_keep_nobody_out() -> None:
    echo = Echo()
    with RawServer(echo, max_connections=5) as server, contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(server.caller()).sendall(UPLOAD + b"a")
        eventually(lambda: len(echo.paths) == 5)
        assert b"200 OK" in server.ask(GET, ends=True)


def test_an_upload_that_makes_progress_outlives_one_that_does_not() -> None:
    echo = Echo()
    with RawServer(echo, max_connections=2) as server, contextlib.ExitStack() as stack:
        moving, still = (stack.enter_context(server.caller()) for _ in range(2))
        moving.sendall(UPLOAD)  # first, so that it would go by its age
        still.sendall(UPLOAD)
        eventually(lambda: len(echo.paths) == 2)
        moving.sendall(b"a" * 1_000_000)
        still.sendall(b"a")
        eventually(lambda: server.pool.buffer[0] == ord("a"))
        eventually(lambda: all_read(moving))
        assert b"200 OK" in server.ask(GET, ends=True)
        assert is_closed(still)
        assert not is_closed(moving)


def all_read(raw: socket.socket) -> bool:
    """Tell whether the other side has taken all that was sent."""
    import fcntl
    import struct
    import termios

    left = fcntl.ioctl(raw, termios.TIOCOUTQ, b"\0" * 4)
    return struct.unpack("i", left) == (0,)


def test_requests_that_are_worked_on_stay_and_the_newcomer_goes() -> None:
    echo = Echo()
    echo.may_answer.clear()
    with RawServer(echo, max_connections=3) as server, contextlib.ExitStack() as stack:
        working = [stack.enter_context(server.caller()) for _ in range(3)]
        for raw in working:
            raw.sendall(GET)
        eventually(lambda: len(echo.paths) == 3)
        assert server.ask(GET) == b""
        echo.may_answer.set()
        for raw in working:
            assert b"200 OK" in raw.recv(1000)


def test_a_flood_of_requests_on_few_connections_leaves_nothing_behind() -> None:
    with RawServer(Echo(), max_connections=3) as server:
        for _ in range(30):
            with server.caller() as raw:
                raw.sendall(GET * 3)
        # while the last of the flood is worked on, a newcomer may have to go
        eventually(lambda: b"200 OK" in server.ask(GET, ends=True))
        eventually(lambda: len(server.pool) == 0)


@pytest.mark.parametrize(
    ("limit", "is_expected"),
    [
        (resource.RLIM_INFINITY, lambda most: most == MAX_CONNECTIONS),
        (1_000_000, lambda most: most == MAX_CONNECTIONS),
        (160, lambda most: most == 160 - 20 - 48),
        (10, lambda most: most == 8),
    ],
)
def test_there_are_fewer_connections_than_descriptors(
    limit: int, is_expected: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    monkeypatch.setattr(pool, "_num_open_descriptors", lambda: 20)
    assert is_expected(max_connections())


class Waiting:
    """A connection of which the pool sees only its socket and how long it has waited."""

    def __init__(self, ours: socket.socket, waits_since: float) -> None:
        self.transport, self.waits_since, self._ours = self, waits_since, ours
        self.is_aborted = False

    def is_waiting(self) -> bool:
        return True

    def get_extra_info(self, _: str) -> socket.socket:
        return self._ours

    def abort(self) -> None:
        self.is_aborted = True


def test_a_request_that_has_come_and_was_not_read_is_not_pushed_out() -> None:
    with contextlib.ExitStack() as stack:
        connections = []
        for age in range(4):
            ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
            if age < 2:  # the two that have waited longest
                theirs.sendall(GET)
            if age == 1:  # and one of these has left again
                theirs.close()
            connections.append(Waiting(ours, waits_since=age))
        full = pool.Pool(3, 30.0, Metrics())
        for connection in connections:
            full.enter(cast("Connection", connection))
        assert [one.is_aborted for one in connections] == [False, True, False, False]
        full.enter(cast("Connection", Waiting(connections[3].get_extra_info(""), 9)))
        assert [one.is_aborted for one in connections] == [False, True, True, False]
