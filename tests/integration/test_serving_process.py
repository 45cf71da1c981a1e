"""`resnext serve` in a process of its own: signals, reloads, and the answers of `predict`."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest
from command import Command
from PIL import Image
from runs import finish, small_run
from serving_process import COLOURS, ServiceProcess, colour_image, write_colours
from waiting import eventually

from resnext.cli.serve import main as serve
from resnext.errors import ConfigError

pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")


def reloaded(service: ServiceProcess, times: int) -> bool:
    """Tell whether the log says so many reloads."""
    return service.log.count('"reloaded: colours"') == times


def answered(load: Load, times: int) -> bool:
    """Tell whether more than so many requests were answered."""
    return len(load.answers) > times


def nobody_listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionError:
        return True
    return False


class Load:
    """Asks without a pause from several threads, and keeps what came of every request."""

    def __init__(self, url: str, num_threads: int = 4) -> None:
        self.answers: list[httpx.Response] = []
        self.lost: list[str] = []  # a connection that broke after it had been made
        self.is_refused = threading.Event()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(num_threads)
        self._asking = [self._pool.submit(self._ask, url, turn) for turn in range(num_threads)]

    def _ask(self, url: str, turn: int) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._stop.is_set():
                turn = (turn + 1) % 3
                files = {"images": colour_image(turn)}
                try:
                    answer = client.post(f"{url}/v1/predict?top=1", files=files)
                except httpx.ConnectError:  # nobody listens: nothing was accepted
                    self.is_refused.set()
                    return
                except httpx.HTTPError as error:
                    self.lost.append(repr(error))
                    return
                answer.extensions["wanted"] = COLOURS[turn]
                self.answers.append(answer)

    def end(self) -> None:
        self._stop.set()
        for asked in self._asking:
            asked.result()
        self._pool.shutdown()

    def all_right(self) -> bool:
        """Tell whether every answer is the right one."""
        return all(
            answer.status_code == 200
            and answer.json()["images"][0]["predictions"][0]["class"] == answer.extensions["wanted"]
            for answer in self.answers
        )


def test_sigterm_under_load_loses_nothing_and_ends_with_0(colours: Path) -> None:
    with ServiceProcess(colours, "--threads", "1", "--drain-s", "0.5") as service:
        load = Load(service.url)
        eventually(partial(answered, load, 50))
        service.signal(signal.SIGTERM)
        time.sleep(0.1)
        ready = httpx.get(f"{service.url}/readyz")
        status = service.end()
        load.end()
    assert ready.status_code == 503
    assert status == 0, service.log
    assert load.lost == []
    assert load.all_right()
    assert load.is_refused.is_set()


def test_a_caller_that_is_slow_to_ask_is_still_answered(colours: Path) -> None:
    with ServiceProcess(colours, "--drain-s", "0.2") as service:
        host, _, port = service.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            service.signal(signal.SIGTERM)
            eventually(partial(nobody_listens, host, int(port)))
            time.sleep(1.0)  # longer than open connections are left alone
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(4096)
        assert service.end() == 0
    assert answer.startswith(b"HTTP/1.1 200")


def test_sighup_under_load_changes_the_network_and_drops_nothing(colours: Path) -> None:
    with ServiceProcess(colours, "--threads", "1") as service:
        load = Load(service.url)
        for turn in range(3):
            before = len(load.answers)
            write_colours(colours)
            service.signal(signal.SIGHUP)
            eventually(partial(reloaded, service, turn + 1))
            eventually(partial(answered, load, before + 20))
        write_colours(colours, ("rot", "gruen", "blau"))
        load.end()
        service.signal(signal.SIGHUP)
        eventually(partial(reloaded, service, 4))
        files = {"images": colour_image(0)}
        answer = httpx.post(f"{service.url}/v1/predict", files=files).json()
        assert service.end() == 0
    assert answer["images"][0]["predictions"][0]["class"] == "rot"
    assert load.lost == []
    assert load.all_right()


def test_a_watched_file_is_reloaded_and_a_broken_one_is_not(colours: Path) -> None:
    with ServiceProcess(colours, "--threads", "1", "--watch") as service:
        whole = colours.read_bytes()
        colours.write_bytes(whole[: len(whole) // 2])

        def told() -> dict[str, object]:
            answer = httpx.get(f"{service.url}/v1/model").json()
            assert isinstance(answer, dict)
            return answer

        eventually(lambda: told()["reload_error"] != "")
        assert told()["classes"] == list(COLOURS)
        write_colours(colours, ("r", "g", "b"))
        eventually(lambda: told()["classes"] == ["r", "g", "b"])
        assert told()["reload_error"] == ""
        assert service.end() == 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    path = write_colours(tmp_path_factory.mktemp("shared") / "colours.onnx")
    with ServiceProcess(path, "--threads", "1", "--upload-timeout-s", "3") as service:
        yield service
        assert service.end() == 0
        lines = [json.loads(line) for line in service.log.splitlines()]
        assert {"request", "draining"} <= {line["event"] for line in lines}


def begin_upload(url: httpx.URL) -> socket.socket:
    """Send the head of a request and the first byte of its body."""
    raw = socket.create_connection((url.host, url.port or 0))
    raw.sendall(
        b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    return raw


def says(service: ServiceProcess, figure: str) -> bool:
    """Tell whether this is among the figures."""
    return figure in httpx.get(f"{service.url}/metrics").text.splitlines()


def test_what_is_no_http_is_refused_and_the_log_stays_json(shared: ServiceProcess) -> None:
    url = httpx.URL(shared.url)
    with socket.create_connection((url.host, url.port or 0)) as raw:
        raw.sendall(b"no http at all\r\n\r\n")
        assert b"400" in raw.recv(1000)


def test_an_upload_that_does_not_come_is_given_up(shared: ServiceProcess) -> None:
    with begin_upload(httpx.URL(shared.url)) as raw:
        assert b"408" in raw.recv(1000).splitlines()[0]
    assert says(shared, "resnext_uploads 0.0")


def test_a_caller_that_hangs_up_gives_its_place_back(shared: ServiceProcess) -> None:
    before = shared.log.count('"status": 499')
    raw = begin_upload(httpx.URL(shared.url))
    eventually(partial(says, shared, "resnext_uploads 1.0"))
    raw.close()
    # sooner than its time was up
    eventually(partial(says, shared, "resnext_uploads 0.0"), seconds=2)
    eventually(lambda: shared.log.count('"status": 499') == before + 1)


def test_uploads_that_stand_still_keep_nobody_else_waiting(shared: ServiceProcess) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(80):  # more than there are places for images
            stack.enter_context(begin_upload(httpx.URL(shared.url)))
        eventually(partial(says, shared, "resnext_uploads 80.0"))
        answer = httpx.post(f"{shared.url}/v1/predict", files={"images": colour_image(1)})
    assert answer.status_code == 200


def test_a_request_without_a_body_is_refused_at_once(shared: ServiceProcess) -> None:
    start = time.monotonic()
    headers = {"Content-Type": "application/json", "Content-Length": "0"}
    answer = httpx.post(f"{shared.url}/v1/predict", headers=headers)
    assert answer.status_code == 400
    assert time.monotonic() - start < 1.5  # a rest of a body would be waited for longer


def test_a_taken_port_is_told_without_a_trace(colours: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: cannot listen"):
            serve([str(colours), "--port", str(port), "--no-page"])


@pytest.mark.slow
def test_a_run_is_exported_once_and_answers_as_predict_does(
    tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    finish(small_run(), run)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        image = Image.effect_noise((20 + 3 * number, 40 - number), 90)
        image.convert("RGB" if number % 2 else "L").save(photos / f"{number:02}.png")
        image.save(photos / f"{number:02}.jpg")
    expected = command.json("predict", run, photos, "--top", "3")
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for _ in range(2):
        with ServiceProcess(run, "--threads", "1", env=env) as service:
            files = [("images", Path(row["path"]).read_bytes()) for row in expected]
            answer = httpx.post(f"{service.url}/v1/predict?top=3", files=files, timeout=60).json()
            service.end()
            exports = service.log.count("exporting")
    assert exports == 0  # the second start found the export of the first
    for row, image in zip(expected, answer["images"], strict=True):
        assert [guess["class"] for guess in image["predictions"]] == [
            guess["class"] for guess in row["predictions"]
        ]
        assert [guess["probability"] for guess in image["predictions"]] == pytest.approx(
            [guess["probability"] for guess in row["predictions"]], abs=1e-4
        )
