import contextlib
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from made_service import Gate, form_of, image_bytes, made_service

from resnext.serving import server
from resnext.serving.app import create_app
from resnext.serving.server import Server, ShutdownTimes, bind, serve


def end_during_a_request(
    ending: ShutdownTimes, *, signals: int, finish: bool
) -> tuple[int, httpx.Response]:
    """End the service while its network works on a request.

    Args:
        ending: How long it may take.
        signals: How many are sent, each late enough to count.
        finish: Let the network finish.

    Returns:
        The service's status, and the answer to the request.
    """
    gate = Gate()
    service = made_service(gate)
    with bind("127.0.0.1", 0) as sock, ThreadPoolExecutor(2) as pool:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1/predict"

        def ask() -> httpx.Response:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=30) as client:
                return client.post(url, files=form_of(image_bytes()))

        def end() -> None:
            assert gate.entered.acquire(timeout=30)  # so the service has taken over the signals
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(signals - 1):
                time.sleep(1.1)
                os.kill(os.getpid(), signal.SIGTERM)
            if finish:
                gate.open.set()

        asked, ended = pool.submit(ask), pool.submit(end)
        try:
            status = serve(create_app(service), service, sock, ending=ending)
            ended.result()
            return status, asked.result()
        finally:
            gate.open.set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ending", "signals"),
    [(ShutdownTimes(0.1, 1.0), 1), (ShutdownTimes(30.0, 30.0), 2), (ShutdownTimes(0.1, 30.0), 2)],
)
def test_a_request_that_the_end_cuts_off_is_told_so_and_the_status_is_1(
    ending: ShutdownTimes, signals: int
) -> None:
    start = time.monotonic()
    status, answer = end_during_a_request(ending, signals=signals, finish=False)
    assert time.monotonic() - start < 15  # of the 30 that the network would take
    assert status == 1
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "draining"
    assert answer.headers["Connection"] == "close"


@pytest.mark.slow
def test_a_second_signal_waits_for_no_connection_on_which_nothing_was_asked() -> None:
    service = made_service()
    with bind("127.0.0.1", 0) as sock, ThreadPoolExecutor(1) as pool:
        host, port = sock.getsockname()[:2]

        def end() -> float:
            while True:  # until the service listens, and has taken over the signals
                with (
                    contextlib.suppress(ConnectionRefusedError),
                    socket.create_connection((host, port)),
                ):
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(1.1)
                    os.kill(os.getpid(), signal.SIGTERM)
                    asked = time.monotonic()
                    has_ended.wait(10)
                    return time.monotonic() - asked

        has_ended = threading.Event()
        ended = pool.submit(end)
        assert serve(create_app(service), service, sock, ending=ShutdownTimes(30.0, 30.0)) == 0
        has_ended.set()
        assert ended.result() < 3  # a first signal would wait for 5 s


@pytest.mark.slow
def test_a_request_that_the_end_waits_for_is_answered_and_the_status_is_0() -> None:
    status, answer = end_during_a_request(ShutdownTimes(0.1, 30.0), signals=1, finish=True)
    assert (status, answer.status_code) == (0, 200)


def test_connections_that_wait_to_be_accepted_at_the_end_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = made_service()
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(bind("127.0.0.1", 0))
        callers: list[socket.socket] = []

        class Late(Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                """Connect while the loop accepts nothing, and go on to the end."""
                for _ in range(3):
                    caller = stack.enter_context(socket.create_connection(sock.getsockname()))
                    caller.settimeout(20)
                    caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
                    callers.append(caller)
                await super().shutdown(sockets)

        def end() -> None:
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(sock.getsockname()).close()
                    break
            os.kill(os.getpid(), signal.SIGTERM)

        monkeypatch.setattr(server, "Server", Late)
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(end)
            assert serve(create_app(service), service, sock, ending=ShutdownTimes(0.0, 30.0)) == 0
            ended.result()
        answers = [caller.makefile("rb").readline() for caller in callers]
    assert answers == [b"HTTP/1.1 200 OK\r\n"] * 3


def test_answers_do_not_wait_for_the_caller_to_acknowledge_their_head() -> None:
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        # asyncio sets the option itself only where it knows the protocol
        assert listening.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_or_impossible_is_told_before_anything_is_opened() -> None:
    with bind("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", first.getsockname()[1])
    with pytest.raises(OverflowError):
        bind("127.0.0.1", 70_000)
