"""The service on Ray Serve answers as one process does, and outlives one of its replicas."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving_process import COLOURS, START, colour_image, write_colours

pytest.importorskip("ray", reason="the extra `cluster` is not installed")
pytestmark = pytest.mark.alone


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client, Path]]:
    model, port = write_colours(tmp_path / "colours.onnx"), free_port()
    options = ["--threads", "1", "--cluster", "local", "--replicas", "2", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", START, str(model), *options],
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until_ready(driver, client, tmp_path / "log")
            yield driver, client, model
    finally:
        if driver.poll() is None:
            driver.terminate()
        try:
            driver.wait(120)
        finally:
            driver.kill()  # a second try needs the port and the processor


def wait_until_ready(driver: subprocess.Popen[str], client: httpx.Client, log: Path) -> None:
    end = time.monotonic() + 480
    while '"event": "serving' not in log.read_text():
        assert driver.poll() is None, log.read_text() + logs_of_ray()
        assert time.monotonic() < end, log.read_text() + logs_of_ray()
        time.sleep(0.2)
    assert client.get("/readyz").status_code == 200


def logs_of_ray() -> str:
    """Return the last lines of the logs of Ray Serve, which say why a replica does not start."""
    logs = sorted(Path("/tmp/ray/session_latest/logs/serve").glob("*.log"))
    return "\n".join(f"{path.name}:\n{path.read_text()[-2000:]}" for path in logs)


def classes(client: httpx.Client) -> list[str]:
    """Ask for the class of a red, a green and a blue image."""
    files = [("images", colour_image(index)) for index in range(3)]
    answer = client.post("/v1/predict?top=1", files=files)
    assert answer.status_code == 200, answer.text
    return [image["predictions"][0]["class"] for image in answer.json()["images"]]


def replicas() -> list[int]:
    """Return the replicas' processes."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                name = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if name.startswith(b"ray::ServeReplica:resnext:"):
                found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_a_service_can_be_stopped_while_its_replicas_start(tmp_path: Path) -> None:
    model = write_colours(tmp_path / "colours.onnx")
    options = ["--threads", "1", "--cluster", "local", "--port", str(free_port())]
    log = tmp_path / "log"
    with log.open("w") as output:
        driver = subprocess.Popen(
            [sys.executable, "-c", START, str(model), *options], stdout=output, stderr=output
        )
    try:
        end = time.monotonic() + 480
        while "starting colours" not in log.read_text():  # its replica takes seconds more
            assert driver.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(120) == 0
        assert "ended while starting" in log.read_text()
    finally:
        driver.kill()


@pytest.mark.slow
def test_replicas_answer_outlive_a_kill_reload_and_end_with_0(
    cluster: tuple[subprocess.Popen[str], httpx.Client, Path],
) -> None:
    driver, client, model = cluster
    assert classes(client) == list(COLOURS)
    assert client.post("/v1/predict", content=b"x").json()["error"]["code"] == (
        "unsupported_media_type"
    )
    first = set(replicas())
    assert len(first) == 2
    os.kill(min(first), signal.SIGKILL)
    end = time.monotonic() + 180
    while len(set(replicas()) - {min(first)}) < 2:  # it is restarted
        assert time.monotonic() < end
        try:
            assert classes(client) == list(COLOURS)  # the other one answers meanwhile
        except AssertionError:  # the request that hit the killed one
            time.sleep(0.5)
    write_colours(model, ("r", "g", "b"))
    driver.send_signal(signal.SIGHUP)
    while [classes(client) for _ in range(8)] != [["r", "g", "b"]] * 8:
        assert time.monotonic() < end + 60
    driver.terminate()
    assert driver.wait(120) == 0
