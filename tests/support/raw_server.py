"""A server that answers with bytes as they are, however wrong."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_MAX_SENDS = 1000


@dataclass
class Answer:
    """What is sent, and then, again and again until the client hangs up or would have had to.

    Attributes:
        first: Sent at once.
        forever: Sent after it, `_MAX_SENDS` times at most.
        pause_s: Seconds between.
    """

    first: bytes
    forever: bytes = b""
    pause_s: float = 0.0


@dataclass
class RawServer:
    """Where it listens, and what it was asked."""

    address: str
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def answer_with(*answers: Answer | bytes) -> Iterator[RawServer]:
    """Serve answers, one a connection; the last one repeats."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}/file")
    closing = threading.Event()

    def talk(connection: socket.socket, answer: Answer) -> None:
        with connection:
            try:
                server.requests.append(connection.recv(65_536))
                connection.sendall(answer.first)
                for _ in range(_MAX_SENDS if answer.forever else 0):
                    if closing.is_set():
                        break
                    connection.sendall(answer.forever)
                    time.sleep(answer.pause_s)
            except OSError:
                pass  # the client has hung up

    def work() -> None:
        plan = [one if isinstance(one, Answer) else Answer(one) for one in answers]
        threads = []
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                break
            connection.settimeout(5)
            answer = plan.pop(0) if len(plan) > 1 else plan[0]
            threads.append(threading.Thread(target=talk, args=(connection, answer), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield server
    finally:
        closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        worker.join()
