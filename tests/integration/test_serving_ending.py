"""The process is gone when its time is up, whatever its threads do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from serving_process import START, ServiceProcess, colour_image

pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")

STUCK_DECODER = """
import ctypes
import resnext.serving.model
resnext.serving.model.decode_image = lambda *_: ctypes.CDLL(None).sleep(600)
"""
STUCK_RELOAD = """
import ctypes
from resnext.serving.service import Service
Service.reload = lambda _: ctypes.CDLL(None).sleep(600)
"""
STUCK_START = """
import time
from resnext.serving.source import ModelSource
def wait(_):
    print("exporting", flush=True)
    time.sleep(600)
ModelSource.open = wait
"""
GUARD_S = 60.0  # of the 600 that a stuck thread takes


def ask(url: str) -> httpx.Response:
    return httpx.post(f"{url}/v1/predict", files={"images": colour_image(0)}, timeout=GUARD_S)


@pytest.mark.parametrize(
    ("signals", "options"),
    [
        ([signal.SIGTERM], ["--shutdown-timeout-s", "1"]),
        ([signal.SIGINT], ["--shutdown-timeout-s", "1"]),
        ([signal.SIGTERM, signal.SIGTERM], ["--shutdown-timeout-s", "600"]),
        ([signal.SIGTERM, signal.SIGINT], ["--shutdown-timeout-s", "600", "--drain-s", "600"]),
    ],
)
def test_a_decoder_that_hangs_does_not_keep_the_process(
    colours: Path, signals: list[signal.Signals], options: list[str]
) -> None:
    one_thread = ["--threads", "1", "--drain-s", "0.1"]
    with (
        ServiceProcess(colours, *one_thread, *options, setup=STUCK_DECODER) as service,
        ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(ask, service.url)
        while "resnext_queue_images 1.0" not in httpx.get(f"{service.url}/metrics").text:
            time.sleep(0.02)
        for number in signals:
            service.signal(number)
            time.sleep(1.1)  # a second one that comes sooner is taken for the first
        assert service.process.wait(GUARD_S) == 1
        answer = asked.result()
        service.end()
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "draining"
    lines = [json.loads(line) for line in service.log.splitlines()]
    assert lines[-1]["event"] == "left at once: the thread decode_0 did not end"
    assert not any("trace" in line for line in lines)


def test_a_reload_that_hangs_does_not_keep_the_process(colours: Path) -> None:
    options = ["--threads", "1", "--drain-s", "0.1", "--shutdown-timeout-s", "1"]
    with ServiceProcess(colours, *options, setup=STUCK_RELOAD) as service:
        service.signal(signal.SIGHUP)
        httpx.get(f"{service.url}/healthz")
        service.signal(signal.SIGTERM)
        assert service.process.wait(GUARD_S) == 1
        service.end()
    assert json.loads(service.log.splitlines()[-1])["event"].startswith("left at once")


def test_a_log_that_nobody_reads_keeps_neither_callers_nor_the_end(colours: Path) -> None:
    command = [sys.executable, "-c", START, str(colours), "--port", "0", "--no-page"]
    with subprocess.Popen(
        [*command, "--drain-s", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=GUARD_S) as client:
            for _ in range(1_000):  # a pipe holds some 400 lines
                client.get(f"{url}/healthz").raise_for_status()
        process.send_signal(signal.SIGTERM)
        assert process.wait(GUARD_S) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_process_while_it_makes_the_network_ready(
    colours: Path, number: signal.Signals, status: int
) -> None:
    start = START.replace("resnext.cli.serve", "resnext.cli.main")
    command = [sys.executable, "-c", STUCK_START + start, "serve", str(colours), "--no-page"]
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.loads(process.stdout.readline())  # what it prints is a line of the log
        assert line["event"] == "a library printed: exporting"
        process.send_signal(number)
        assert process.wait(GUARD_S) == status
        assert process.stderr.read() == ""
