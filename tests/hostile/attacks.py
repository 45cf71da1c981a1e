"""Hostile callers of the service, each in a thread of its own until it is stopped."""

from __future__ import annotations

import contextlib
import io
import json
import random
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Self

from PIL import Image

_TIMEOUT_S = 5.0
_PAUSE_S = 0.05


class Attackers:
    """Attacks on one service that go on until the `with` block ends.

    Attributes:
        num_attempts: Of each attack.
        leaks: Answers that contain the planted secret.
    """

    def __init__(self, host: str, port: int, secret_path: str, secret: str, seed: int) -> None:
        """Prepare the attacks.

        Args:
            host: Of the service, on this machine.
            port: Of the service.
            secret_path: A file that the service's process may read and nobody may see.
            secret: What is in it.
            seed: Decides the details.
        """
        self.num_attempts: dict[str, int] = {}
        self.leaks: list[str] = []
        self._address = (host, port)
        self._url = f"http://{host}:{port}"
        self._secret_path, self._secret = secret_path, secret.encode()
        self._rng = random.Random(seed)
        self._scans = many_scans(20_000)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for attack in (
            self._slow_bodies,
            self._endless_headers,
            self._long_urls,
            self._idle_connections,
            self._many_scans,
            self._page_files,
            self._half_requests,
        ):
            thread = threading.Thread(target=self._repeat, args=(attack,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, attack: Callable[[], None]) -> None:
        name = attack.__name__.strip("_")
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, ValueError):  # refused or cut off, as it should be
                attack()
            self.num_attempts[name] = self.num_attempts.get(name, 0) + 1
            self._stopped.wait(_PAUSE_S)

    def _connect(self) -> socket.socket:
        return socket.create_connection(self._address, timeout=_TIMEOUT_S)

    def _slow_bodies(self) -> None:
        """Announce eight times 32 MiB and send one byte of each."""
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                caller = stack.enter_context(self._connect())
                caller.sendall(_head("Content-Type: application/json", f"Content-Length: {2**25}"))
                caller.sendall(b"{")
            self._stopped.wait(_TIMEOUT_S)

    def _endless_headers(self) -> None:
        with self._connect() as caller:
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            for number in range(5_000):
                caller.sendall(f"X-{number}: {'a' * 1000}\r\n".encode())

    def _long_urls(self) -> None:
        with self._connect() as caller:
            caller.sendall(b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            caller.recv(100)

    def _idle_connections(self) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(self._connect())
            self._stopped.wait(1)

    def _many_scans(self) -> None:
        request = urllib.request.Request(
            f"{self._url}/v1/predict", self._form(self._scans), {"Content-Type": _FORM}
        )
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=_TIMEOUT_S).close()

    def _page_files(self) -> None:
        """Ask the page for the secret, a device and a file that is not there."""
        for path in (self._secret_path, "/dev/zero", "/nowhere"):
            file = {"path": path, "meta": {"_type": "gradio.FileData"}}
            body = {"data": [[file], "best class"], "fn_index": self._rng.randrange(12)}
            body |= {"session_hash": f"s{self._rng.random()}"}
            self._ask("/page/gradio_api/queue/join", json.dumps(body).encode())
            self._ask(f"/page/gradio_api/file={path}")
            self._ask(f"/page/file={path}")
            self._ask(f"/page/gradio_api/queue/data?session_hash={body['session_hash']}")

    def _ask(self, path: str, body: bytes | None = None) -> None:
        request = urllib.request.Request(self._url + path, body, {"Content-Type": _JSON})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                found = answer.read(1_000_000)
        except urllib.error.HTTPError as error:
            with error:
                found = error.read()
        if self._secret in found:
            self.leaks.append(path)

    def _half_requests(self) -> None:
        """Leave in the middle of a request."""
        with self._connect() as caller:
            whole = _head(f"Content-Type: {_FORM}", "Content-Length: 500") + b"x" * 500
            caller.sendall(whole[: self._rng.randrange(len(whole))])
            linger = struct.pack("ii", 1, 0)  # a reset instead of an orderly end
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _form(self, image: bytes) -> bytes:
        head = b'--b\r\nContent-Disposition: form-data; name="images"; filename="x"\r\n\r\n'
        return head + image + b"\r\n--b--\r\n"


_JSON = "application/json"
_FORM = "multipart/form-data; boundary=b"


def _head(*headers: str) -> bytes:
    lines = ["POST /v1/predict HTTP/1.1", "Host: x", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def many_scans(num_scans: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated many times."""
    file = io.BytesIO()
    Image.new("RGB", (6000, 6000), (90, 120, 30)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    end = data.rindex(b"\xff\xd9")
    last = data.rindex(b"\xff\xda", 0, end)
    # no bits: the decoder still walks all blocks of the component for each scan
    header = data[last : last + 2 + int.from_bytes(data[last + 2 : last + 4])]
    return data[:end] + (header + b"\x00") * num_scans + data[end:]


def wait_until(is_true: Callable[[], bool], timeout_s: float) -> bool:
    """Wait for a condition; tell whether it came true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.1)
    return is_true()
