"""Bytes that no HTTP client would send, from several callers at once.

Each attempt is one connection with one kind of abuse. An answer of 2xx counts as accepted; any
other answer but 500, an end of the connection, or a caller that is left waiting on purpose as
refused. A 500, an answer that is no HTTP, and a health check that fails are failures.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable

from counts import Counts
from echo_server import rest_of

_NUM_CALLERS = 4
_NUM_CONNECTIONS = 10
_TIMEOUT_S = 3.0
_HEALTH_TIMEOUT_S = 30.0
_HEALTHY = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
_POST = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"

Attack = Callable[[random.Random, Callable[[], socket.socket]], bytes]


def attack(host: str, port: int, seconds: float, seed: int) -> Counts:
    """Attack a service, each kind of abuse at least once.

    Args:
        host: Where it listens.
        port: Its port.
        seconds: How long; a round that has begun is finished.
        seed: Decides order and details.

    Returns:
        What came of the attempts.
    """
    counts = Counts("raw sockets")
    end = time.monotonic() + seconds
    lock = threading.Lock()

    def call(number: int) -> None:
        rng = random.Random(f"{seed} {number}")
        mine = ATTACKS[number::_NUM_CALLERS]  # together they make all
        while mine or time.monotonic() < end:
            kind = mine.pop() if mine else rng.choice(ATTACKS)
            name = f"{kind.__name__} by caller {number} with seed {seed}"
            outcome = _outcome(kind, rng, host, port)
            with lock:
                _count(counts, name, outcome)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(_NUM_CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return counts


def _outcome(kind: Attack, rng: random.Random, host: str, port: int) -> bytes:
    """Return what the service answered; then check that it is well."""
    with contextlib.ExitStack() as stack:

        def connect() -> socket.socket:
            raw = socket.create_connection((host, port), timeout=_TIMEOUT_S)
            return stack.enter_context(raw)

        try:
            answer = kind(rng, connect)
        except OSError:  # reset, or kept waiting for more
            answer = b""
    try:
        with socket.create_connection((host, port), timeout=_HEALTH_TIMEOUT_S) as raw:
            raw.sendall(_HEALTHY)
            health = rest_of(raw)
    except OSError as error:
        health = repr(error).encode()
    return answer if b" 200 OK" in health else b"health check: " + health[:100]


def _count(counts: Counts, name: str, answer: bytes) -> None:
    status = answer[9:12]
    if answer.startswith(b"HTTP/1.1 2"):
        counts.accepted += 1
    elif not answer or (answer.startswith(b"HTTP/1.1 ") and status != b"500"):
        counts.refused += 1
    else:
        counts.failures.append(f"{name}: {answer[:200]!r}")


def _say(raw: socket.socket, data: bytes) -> bytes:
    """Send what is taken, and return the beginning of the answer."""
    with contextlib.suppress(OSError):
        raw.sendall(data)
    return raw.recv(65536)


def _garbage(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    return _say(connect(), rng.randbytes(rng.randrange(1, 5000)) + b"\r\n\r\n")


def _changed_request(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    data = bytearray(_POST + b"Content-Length: 2\r\nX-A: b\r\n\r\n{}" + _ASK)
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return _say(connect(), bytes(data))


def _part_of_a_request(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    whole = _POST + b"Content-Length: 2\r\n\r\n{}"
    raw = connect()
    raw.sendall(whole[: rng.randrange(len(whole))])
    if rng.random() < 0.5:
        raw.shutdown(socket.SHUT_WR)
    raw.settimeout(0.2)
    return raw.recv(65536)


def _byte_by_byte(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    raw = connect()
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in rng.choice([_ASK, _POST + b"Content-Length: 2\r\n\r\n{}"]):
        raw.sendall(bytes([byte]))
    return raw.recv(65536)


def _pipelined_and_unread(_: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    callers = [connect() for _ in range(_NUM_CONNECTIONS)]
    for raw in callers:
        with contextlib.suppress(OSError):
            raw.sendall(_ASK * 1000)
    return callers[0].recv(65536)


def _bodies_pipelined(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    post = _POST + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000
    return _say(connect(), post * rng.randrange(2, 20))


def _conflicting_lengths(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    headers = [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 6",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding : chunked",
        b"Content-Length: +5",
        b"Content-Length: 0x5",
    ]
    return _say(connect(), _POST + rng.choice(headers) + b"\r\n\r\n0\r\n\r\n" + _ASK)


def _odd_lengths(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    lengths = [b"-1", b"9" * 30, b"18446744073709551615", b"9223372036854775807", b"", b"1e3"]
    return _say(connect(), _POST + b"Content-Length: " + rng.choice(lengths) + b"\r\n\r\nabc")


def _odd_chunks(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    sizes = [b"f" * 20, b"-1", b"", b"0x1", b"1;" + b"a" * 200_000, b"g", b"1\n", b"5\r\nab"]
    return _say(connect(), _CHUNKED + rng.choice(sizes) + b"\r\nabc\r\n0\r\n\r\n")


def _tiny_chunks(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    raw = connect()
    raw.sendall(_CHUNKED)
    block = b"1\r\na\r\n" * 20_000
    num_blocks = 1700 if rng.random() < 0.05 else rng.choice([5, 50, 200])
    with contextlib.suppress(OSError):
        for _ in range(num_blocks):  # 1,700 exceed 32 MiB
            raw.sendall(block)
        raw.sendall(b"0\r\n\r\n")
    return raw.recv(65536)


def _odd_headers(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    odd = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
    line = rng.choice([odd + b": a", b"X: " + odd, b"Host: " + odd, b"Content-Type: " + odd])
    return _say(connect(), _POST + line + b"\r\nContent-Length: 2\r\n\r\n{}")


def _many_headers(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    return _say(connect(), head + b"a:\r\n" * rng.randrange(100, 20_000) + b"\r\n")


def _long_head(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    start = rng.choice([b"GET /", b"GET /healthz?", b"GET /healthz HTTP/1.1\r\nX: ", b"", b"\r\n"])
    return _say(connect(), start + b"a" * rng.randrange(100_000, 20_000_000))


def _long_trailers(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    return _say(connect(), _CHUNKED + b"0\r\n" + b"a: b\r\n" * rng.randrange(1, 100_000))


def _expectations(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    expect = _POST + b"Expect: 100-continue\r\nContent-Length: 30000000\r\n\r\n"
    callers = [connect() for _ in range(_NUM_CONNECTIONS)]
    for raw in callers:
        raw.sendall(expect * rng.randrange(1, 3))
    return b"" if callers[0].recv(25).startswith(b"HTTP/1.1 100") else b"no 100 Continue"


def _resets(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    for _ in range(_NUM_CONNECTIONS):
        raw = connect()
        raw.sendall(_POST + b"Content-Length: 30000000\r\n\r\n" + b"x" * rng.randrange(500_000))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    return b""


def _upgrades(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    to = rng.choice([b"websocket", b"h2c", b"", b"TLS/1.0"])
    head = rng.choice([_POST + b"Content-Length: 2\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"])
    rest = b"Connection: Upgrade\r\nUpgrade: " + to + b"\r\nSec-WebSocket-Version: 13\r\n\r\n{}"
    return _say(connect(), head + rest + rng.randbytes(1000))


def _odd_requests(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    lines = [
        b"PRI * HTTP/2.0\r\n\r\nSM",
        b"CONNECT a:80 HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"GET http://%s/healthz HTTP/1.1" % (b"a" * 1000),
        b"GET //healthz HTTP/1.1",
        b"GET /%00%ff%2e%2e/healthz HTTP/1.1",
        b"GET /\xff\xfe HTTP/1.1",
        b"GET /healthz HTTP/9.9",
        b"GET /healthz",
        b"TRACE /healthz HTTP/1.0",
        b"GET /healthz?top=%s HTTP/1.1" % (b"9" * 5000),
        b"POST /v1/predict?top=%s HTTP/1.1" % (b"9" * 5000),
    ]
    return _say(connect(), rng.choice(lines) + b"\r\nHost: x\r\n\r\n")


def _idle(_: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    for _turn in range(100):
        connect()
    return b""


def _slow_uploads(rng: random.Random, connect: Callable[[], socket.socket]) -> bytes:
    announced = _POST + b"Content-Length: 33554432\r\n\r\n"
    for _ in range(_NUM_CONNECTIONS):
        connect().sendall(announced + b"x" * rng.choice([1, 1, 1_000_000]))
    time.sleep(0.3)
    return b""


ATTACKS: list[Attack] = [
    _garbage,
    _changed_request,
    _part_of_a_request,
    _byte_by_byte,
    _pipelined_and_unread,
    _bodies_pipelined,
    _conflicting_lengths,
    _odd_lengths,
    _odd_chunks,
    _tiny_chunks,
    _odd_headers,
    _many_headers,
    _long_head,
    _long_trailers,
    _expectations,
    _resets,
    _upgrades,
    _odd_requests,
    _idle,
    _slow_uploads,
]
