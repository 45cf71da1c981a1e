"""A web server of a folder that is busy, stalls, drops connections or lies when told to."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class ShardServer:
    """What the server does, and what it was asked for.

    Attributes:
        faults: For each request of a file, in turn: a status such as "503", "stall" and
            "drop" (in the middle of what was asked for) or "lie"; then it does as asked.
        every: Faults of every file of which `faults` knows none.
        requests: Name and Range of each request.
    """

    def __init__(self, root: Path, every: tuple[str, ...] = ()) -> None:
        self.root, self.every = root, every
        self.faults: dict[str, list[str]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.address = ""
        self._met: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self.closing = threading.Event()

    @property
    def num_requests(self) -> Counter[str]:
        return Counter(name for name, _ in self.requests)

    def fault(self, name: str, asked: str | None) -> str:
        with self._lock:
            self.requests.append((name, asked))
            faults = self.faults.get(name, list(self.every))
            number = self._met[name]
            self._met[name] += 1
        return faults[number] if number < len(faults) else "none"


@contextmanager
def serve(root: Path, *every: str) -> Iterator[ShardServer]:
    """Serve a folder below /sets/packed."""
    server = ShardServer(root, every)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].removeprefix("/sets/packed/")
            asked = self.headers.get("Range")
            fault = server.fault(name, asked)
            path = server.root / name
            if fault.isdecimal() or not path.is_file():
                self.send_error(int(fault) if fault.isdecimal() else 404)
                return
            content = path.read_bytes()
            if fault == "lie":
                content = bytes(reversed(content))
            start = int(asked[6:-1]) if asked else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            half = (len(content) - start) // 2
            self.wfile.write(content[start : start + half])
            self.wfile.flush()
            if fault == "stall":
                server.closing.wait(30)
            if fault not in ("stall", "drop"):
                self.wfile.write(content[start + half :])

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{http.server_port}/sets/packed"
    try:
        yield server
    finally:
        server.closing.set()
        http.shutdown()
        http.server_close()
        thread.join()
