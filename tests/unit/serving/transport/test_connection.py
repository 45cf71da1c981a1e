"""What one connection accepts, refuses and waits for, spoken byte by byte."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from echo_server import Echo, RawServer, rest_of
from waiting import eventually

from resnext.serving.transport import connection
from resnext.serving.transport.connection import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[RawServer]:
    with RawServer(echo) as server:
        yield server


def code_of(answer: bytes) -> tuple[int, str]:
    """Return status and code of an answer in the common form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    ("request_bytes", "refusal"),
    [
        (GET + b"X: " + b"a" * 3_000_000, (431, "head_too_large")),
        (GET + b"X: a\r\n" * (MAX_HEADERS + 1) + b"\r\n", (431, "head_too_large")),
        (GET + (b"X: " + b"a" * 1000 + b"\r\n") * 100 + b"\r\n", (431, "head_too_large")),
        (b"GET /" + b"a" * 3_000_000, (414, "address_too_long")),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", (414, "address_too_long")),
        (b"\r\n" * 100_000, (414, "address_too_long")),
        (CHUNKED + b"1;" + b"a" * 200_000, (431, "head_too_large")),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 40_000, (431, "head_too_large")),
        (POST + b"Content-Length: -1\r\n\r\n", (400, "malformed_request")),
        (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", (400, "malformed_request")),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", (400, "malformed_request")),
        (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         (400, "malformed_request")),
        (CHUNKED + b"f" * 20 + b"\r\n", (400, "malformed_request")),
        (CHUNKED + b"-1\r\n", (400, "malformed_request")),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", (400, "malformed_request")),
        (POST + b"A\x00B: c\r\n\r\n", (400, "malformed_request")),
        (b"CONNECT a:80 HTTP/1.1\r\n\r\n", (400, "malformed_request")),
        (b"\x16\x03\x01 no http at all", (400, "malformed_request")),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_the_common_form_and_not_read_on(
    server: RawServer, request_bytes: bytes, refusal: tuple[int, str]
) -> None:
    assert code_of(server.ask(request_bytes)) == refusal
    assert f'problems_total{{code="{refusal[1]}"}} 1.0'.encode() in server.metrics.text()


def test_a_refusal_never_reaches_the_application(server: RawServer, echo: Echo) -> None:
    server.ask(GET + b"X: " + b"a" * 100_000)
    server.ask(b"GET /" + b"a" * 100_000)
    assert echo.paths == []


def test_a_head_just_below_the_limit_is_answered_however_it_is_cut(server: RawServer) -> None:
    head = GET + b"X: " + b"a" * (MAX_HEAD_BYTES - 100) + b"\r\n" + CLOSE
    assert b"200 OK" in server.ask(head)
    with server.caller() as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(head), 777):
            raw.sendall(head[start : start + 777])
        assert b"200 OK" in rest_of(raw)


def test_a_large_body_in_small_chunks_is_no_head(server: RawServer) -> None:
    num_chunks = 200_000  # 1 MB of lengths and line ends
    answer = server.ask(CHUNKED + b"1\r\na\r\n" * num_chunks + b"0\r\n\r\n" + GET + CLOSE)
    assert answer.count(b"200 OK") == 2
    assert f"\r\n\r\n{num_chunks}".encode() in answer


def test_trailers_do_not_pass_for_headers(server: RawServer, echo: Echo) -> None:
    assert b"200 OK" in server.ask(CHUNKED + b"0\r\nX-Api-Key: of the trailer\r\n\r\n", ends=True)
    assert [name for name, _ in echo.headers] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize("request_bytes", [GET + b"\r\n", POST + b"Content-Length: 3\r\n\r\nabc"])
def test_a_caller_that_ends_its_side_gets_its_answer(
    server: RawServer, echo: Echo, request_bytes: bytes
) -> None:
    echo.may_answer.clear()
    threading.Timer(0.2, echo.may_answer.set).start()  # the end is there long before the answer
    assert b"200 OK" in server.ask(request_bytes, ends=True)


def test_a_caller_that_ends_its_side_after_several_requests_gets_all_answers(
    server: RawServer,
) -> None:
    assert server.ask((GET + b"\r\n") * 5, ends=True).count(b"200 OK") == 5
    eventually(lambda: len(server.pool) == 0)


@pytest.mark.parametrize("torn", [GET, b"GE", POST + b"Content-Length: 9\r\n\r\nabc", CHUNKED])
def test_a_caller_that_ends_its_side_too_early_is_told_so(server: RawServer, torn: bytes) -> None:
    assert code_of(server.ask(torn, ends=True)) == (400, "malformed_request")
    eventually(lambda: len(server.pool) == 0)


def test_a_caller_that_connects_and_leaves_is_no_problem(server: RawServer) -> None:
    assert server.ask(b"", ends=True) == b""
    eventually(lambda: len(server.pool) == 0)


def test_many_requests_at_once_are_answered_up_to_a_bound(server: RawServer, echo: Echo) -> None:
    echo.may_answer.clear()
    with server.caller() as raw:
        raw.sendall((GET + b"\r\n") * 1000)
        eventually(lambda: echo.paths == ["/a"])
        echo.may_answer.set()
        answers = rest_of(raw)
    assert answers.count(b"200 OK") == MAX_PIPELINED + 1
    assert answers.lower().count(b"connection: close") == 1


def test_garbage_after_a_request_does_not_take_its_answer(server: RawServer, echo: Echo) -> None:
    echo.may_answer.clear()
    with server.caller() as raw:
        raw.sendall(GET + b"\r\n\x00\x01 no http")
        eventually(lambda: echo.paths == ["/a"])
        echo.may_answer.set()
        answer = rest_of(raw)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
@pytest.mark.parametrize("rest", [b"\r\n", b"Content-Length: 3\r\n\r\nabc"])
def test_an_upgrade_is_answered_as_plain_http_and_ends_the_connection(
    server: RawServer, protocol: bytes, rest: bytes
) -> None:
    head = POST + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
    answer = server.ask(head + rest + b"\x81\x05frame")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


def test_a_body_that_breaks_off_tells_the_application(server: RawServer, echo: Echo) -> None:
    assert code_of(server.ask(CHUNKED + b"3\r\nabcdef")) == (400, "malformed_request")
    eventually(lambda: echo.num_gone == 1)
    with server.caller() as raw:
        raw.sendall(CHUNKED)
        eventually(lambda: len(echo.paths) == 2)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    eventually(lambda: echo.num_gone == 2)


@pytest.mark.slow
def test_a_head_that_takes_too_long_is_refused_and_a_silent_connection_closed(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    assert code_of(server.ask(b"GET / HTTP/1.1\r\nX: ")) == (408, "head_timeout")
    assert server.ask(b"") == b""


def test_a_next_head_has_its_time_too(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    answer = server.ask(GET + b"\r\n" + b"GET / HT")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"408 Request Timeout" in answer


@pytest.mark.slow
def test_a_body_that_stands_still_ends_whatever_the_application_does(echo: Echo) -> None:
    with RawServer(echo, body_s=0.2) as server:
        assert server.ask(POST + b"Content-Length: 9\r\n\r\nabc") == b""
        eventually(lambda: echo.num_gone == 1)


@pytest.mark.slow
def test_an_answer_that_is_not_taken_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "TAKE_ANSWER_S", 0.2)
    echo = Echo(num_answer_bytes=50_000_000)
    with RawServer(echo) as server, server.caller() as raw:
        raw.sendall(GET + b"\r\n" + GET + b"\r\n")
        eventually(lambda: len(echo.paths) == 1)
        eventually(lambda: len(server.pool) == 0)
        assert len(rest_of(raw)) < 50_000_000


def test_a_caller_that_still_sends_when_it_is_refused_is_not_reset(server: RawServer) -> None:
    with server.caller() as raw:
        raw.sendall(b"no http\r\n\r\n")
        assert b"400" in raw.recv(1000)
        for _ in range(10):
            raw.sendall(b"a" * 1000)
            time.sleep(0.02)


def test_a_caller_that_keeps_sending_after_a_refusal_is_not_heard_for_long(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LINGER_S", 0.2)
    with server.caller() as raw:
        raw.sendall(b"no http\r\n\r\n")
        with pytest.raises(ConnectionError):  # noqa: PT012 - the connection ends at some time
            while True:
                raw.sendall(b"a" * 10_000)
