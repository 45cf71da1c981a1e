"""After all kinds of abuse the service is as it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from counts import Counts
from effort import Effort
from raw_sockets import attack
from serving_process import ServiceProcess, colour_image, write_colours

pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")

MEMORY_MIB = 64
_OWN_DESCRIPTORS = 2  # the connection that asks, and one that closes


@pytest.mark.slow
def test_raw_bytes_neither_fill_nor_end_nor_silence_the_service(
    effort: Effort, seed: int, tmp_path: Path, record: Callable[[Counts], None]
) -> None:
    model = write_colours(tmp_path / "colours.onnx")
    options = ["--threads", "1", "--max-memory-mib", str(MEMORY_MIB)]
    with ServiceProcess(model, *options, descriptors=160) as service:
        address = urlsplit(service.url)
        assert address.hostname is not None
        assert address.port is not None
        assert ask(service.url) == 200  # all that is loaded at the first request is loaded
        before, rss_before = num_descriptors(service), peak_mib(service)
        counts = attack(address.hostname, address.port, effort.socket_s, seed)
        record(counts)
        assert peak_mib(service) < rss_before + 4 * MEMORY_MIB
        end = time.monotonic() + 60  # idle connections run into their time
        while num_descriptors(service) > before + _OWN_DESCRIPTORS:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert ask(service.url) == 200
        assert service.end() == 0
    lines = [json.loads(line) for line in service.log.splitlines()]
    assert not [line for line in lines if "trace" in line]
    assert "Traceback" not in service.log + service.said


def ask(url: str) -> int:
    files = {"images": colour_image(1)}
    return httpx.post(f"{url}/v1/predict", files=files, timeout=30).status_code


def num_descriptors(service: ServiceProcess) -> int:
    return sum(1 for _ in Path(f"/proc/{service.process.pid}/fd").iterdir())


def peak_mib(service: ServiceProcess) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
