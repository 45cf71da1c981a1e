"""The page on a real server, attacked over the wire: clean answers, no trace, and it lives on."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights

API = "/page/gradio_api"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: Of this machine.
        process: To be ended.
    """

    port: int
    process: "subprocess.Popen[str]"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, content if body is not None else None, headers)
        answer = connection.getresponse()
        with contextlib.closing(connection):
            return answer.status, answer.read()

    def send(self, data: bytes) -> bytes:
        """Send bytes as they are, hang up, and return what came until then."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            return sock.recv(2000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), cardinality=2, num_classes=3
    )
    card = ModelCard(classes=("a", "b", "c"), image_size_px=16, resize_px=None)
    weights = folder / "best.safetensors"
    save_weights(weights, create_model(config), config, card)
    script = Path(__file__).parents[1] / "support/page_server.py"
    command = [sys.executable, str(script), str(weights)]
    with subprocess.Popen(
        [*command, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), process)
        process.terminate()
        assert process.stderr is not None
        log = process.stderr.read()
    assert "Traceback" not in log
    assert "ERROR" not in log


def attack(path: str) -> dict[str, Any]:
    data = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return {"data": [[data], "none"], "fn_index": 0, "session_hash": "s"}


def test_no_file_of_the_server_is_named_opened_or_waited_for(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "secret.png").write_text("planted")
    answers = set()
    for path in (tmp_path / "secret.png", tmp_path / "missing.png", "/dev/zero", "/etc/passwd"):
        answers.add(server.ask("POST", f"{API}/queue/join", attack(str(path))))
        answers.add(server.ask("POST", f"{API}/queue/join?__theme=x", attack(f"file://{path}")))
    assert len(answers) == 1
    assert answers.pop()[0] == 400
    for path in (tmp_path / "secret.png", tmp_path / "missing.png"):
        for address in (f"file={path}", f"file=%2e%2e/{path}", f"/file={path}", f"proxy={path}"):
            assert server.ask("GET", f"{API}/{address}")[0] == 404


def test_callers_who_hang_up_or_send_rubbish_leave_no_trace(server: Server) -> None:
    upload = f"POST {API}/upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n"
    upload += "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
    server.send(upload.encode())
    server.send(
        f"POST {API}/queue/join HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{{".encode()
    )
    server.send(b"GET /page/ HTTP/1.1\r\nHost: [\r\n\r\n")
    server.send(f"GET {API}/queue/data?session_hash=none HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    for body in (b"[" * 100_000, b"\xff", b"{}", b"9" * 5000, b""):
        assert server.ask("POST", f"{API}/queue/join", body)[0] == 400
    server.send(f"GET {API}/upload_progress HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".encode())
    assert server.ask("GET", "/page/")[0] == 200


def test_it_still_classifies_afterwards(server: Server) -> None:
    import io

    from PIL import Image

    image = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(image, "PNG")
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="/etc/passwd"\r\n\r\n'
    body += image.getvalue() + b"\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    status, names = server.ask("POST", f"{API}/upload", body, **kind)
    assert status == 200
    (name,) = json.loads(names)
    status, event = server.ask("POST", f"{API}/queue/join", attack(name))
    assert (status, "event_id" in json.loads(event)) == (200, True)
    status, stream = server.ask("GET", f"{API}/queue/data?session_hash=s")
    assert status == 200
    assert b"Image 1" in stream
