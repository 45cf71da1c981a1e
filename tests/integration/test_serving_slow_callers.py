"""Callers that connect, announce or begin, and then do nothing: everybody else is served."""

from __future__ import annotations

import contextlib
import json
import select
import socket
from functools import partial
from pathlib import Path

import httpx
import pytest
from serving_process import ServiceProcess, colour_image
from waiting import eventually

pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")

DESCRIPTORS = 160


def caller(url: str) -> socket.socket:
    address = httpx.URL(url)
    return socket.create_connection((address.host, address.port or 0), timeout=30)


def begin_upload(url: str, announced: int, sent: int) -> socket.socket:
    """Announce a body and send a part of it."""
    raw = caller(url)
    head = "POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    raw.sendall(f"{head}Content-Length: {announced}\r\n\r\n".encode() + b"{" * sent)
    return raw


def ask(url: str) -> int:
    files = {"images": colour_image(1)}
    return httpx.post(f"{url}/v1/predict", files=files, timeout=30).status_code


def figure(url: str, name: str) -> float:
    """Return a figure of the service."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_eight_callers_that_announce_32_mib_and_send_a_byte_cost_others_nothing(
    colours: Path,
) -> None:
    with ServiceProcess(colours, "--threads", "1") as service, contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(begin_upload(service.url, 32 * 2**20, 1))
        eventually(lambda: figure(service.url, "resnext_uploads") == 8)
        assert [ask(service.url) for _ in range(20)] == [200] * 20
        assert figure(service.url, "resnext_uploads") == 8  # nobody needed what they hold


def test_callers_that_stop_in_the_middle_give_their_memory_to_others(colours: Path) -> None:
    options = ["--threads", "1", "--max-memory-mib", "4", "--max-body-mib", "1"]
    with ServiceProcess(colours, *options) as service, contextlib.ExitStack() as stack:
        stalled = [
            stack.enter_context(begin_upload(service.url, 2**20, 2**20 - 1)) for _ in range(4)
        ]
        eventually(lambda: 200 in {ask(service.url)})  # refused until they count as stalled
        eventually(lambda: figure(service.url, "resnext_uploads") == 3)
        told, _, _ = select.select(stalled, [], [], 30)
        assert len(told) == 1
        assert b"408" in told[0].recv(1000).splitlines()[0]


def test_idle_connections_above_the_descriptors_leave_the_service_well(colours: Path) -> None:
    options = ["--threads", "1"]
    with ServiceProcess(colours, *options, descriptors=DESCRIPTORS) as service:
        with contextlib.ExitStack() as stack:
            for number in range(400):
                stack.enter_context(caller(service.url))
                if number % 20 == 0:
                    httpx.get(f"{service.url}/healthz", timeout=10).raise_for_status()
            for _ in range(20):
                httpx.get(f"{service.url}/healthz", timeout=10).raise_for_status()
            assert ask(service.url) == 200
            assert figure(service.url, "resnext_connections") < DESCRIPTORS
        eventually(partial(is_alone, service.url))
        assert service.end() == 0
    lines = [json.loads(line) for line in service.log.splitlines()]
    warnings = [line for line in lines if line["level"] != "info"]
    assert 0 < len(warnings) <= 20
    assert not any("trace" in line for line in lines)
    assert len(service.said.splitlines()) == 1  # the address


def is_alone(url: str) -> bool:
    return figure(url, "resnext_connections") == 1


def test_descriptors_that_run_out_all_the_same_are_a_line_of_the_log(colours: Path) -> None:
    # as many as there may be connections are taken by something else
    setup = """
import resnext.serving.server as server
server.max_connections = lambda: 1000
"""
    with ServiceProcess(colours, "--threads", "1", descriptors=DESCRIPTORS, setup=setup) as service:
        with contextlib.ExitStack() as stack:
            for _ in range(400):
                stack.enter_context(caller(service.url))
            with contextlib.suppress(httpx.TimeoutException):
                httpx.get(f"{service.url}/healthz", timeout=2)  # accepted when others leave
        eventually(partial(is_well, service.url))
        assert service.end() == 0
    lines = [json.loads(line) for line in service.log.splitlines()]
    errors = [line["event"] for line in lines if line["level"] == "error"]
    assert 0 < len(errors) <= 20
    assert set(errors) == {"socket.accept() out of system resource: Too many open files"}
    assert not any("trace" in line for line in lines)


def is_well(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", timeout=5).is_success
    return False
