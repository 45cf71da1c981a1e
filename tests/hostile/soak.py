"""The service at twice its capacity while hostile callers do what they can.

Honest callers send images of one colour, whose answers are known. Each must be answered correctly
or refused with 429 and Retry-After; a connection that the service closed before it read the
request is opened again, as HTTP clients do. `/healthz` is asked each second from connections of
its own. Memory and descriptors are read from /proc.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from attacks import Attackers
from PIL import Image
from serving_process import COLOURS, ServiceProcess, colour_image

DESCRIPTORS = 256
_HEALTH_S = 1.0
_HEALTH_ATTEMPTS = 3  # as many failures in a row as Kubernetes waits for
_MAX_ATTEMPTS = 5
_CALLERS = 8
_PHOTO_SIZE = (3000, 2400)


@dataclass
class Soak:
    """What came of it.

    Attributes:
        capacity_per_s: Answers a second with a few callers and no attack.
        sent: Requests of honest callers under load and attack.
        answered: Their right answers.
        refused: 429 with Retry-After.
        wrong: Any other answer.
        lost: Requests without an answer after several connections.
        latency_ms: Of the answered: median, 99th percentile, largest.
        health_ms: Of `/healthz`: median, 99th percentile, largest.
        health_retries: Connections for it that a flood pushed out.
        health_failures: What happened each time that three connections in a row failed.
        rss_mib: Memory: at the start, in the middle, at the end, largest.
        descriptors: Open ones: before, largest, after the attacks.
        attacks: How often each attack was made.
        leaks: Where the planted secret came out.
        odd_log_lines: Lines of standard output that are no JSON.
        tracebacks: In standard output and standard error.
        exit_status: After SIGTERM.
        seconds: Of load and attack.
    """

    capacity_per_s: float = 0.0
    sent: int = 0
    answered: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    latency_ms: tuple[float, ...] = ()
    health_ms: tuple[float, ...] = ()
    health_retries: int = 0
    health_failures: list[str] = field(default_factory=list)
    rss_mib: tuple[float, ...] = ()
    descriptors: tuple[int, ...] = ()
    attacks: dict[str, int] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    odd_log_lines: list[str] = field(default_factory=list)
    tracebacks: int = 0
    exit_status: int = -1
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return all of it, for a file."""
        return asdict(self)


def soak(model: Path, folder: Path, seconds: float, seed: int) -> Soak:
    """Load a service of its own, attack it, end it.

    Args:
        model: The network of `write_colours`.
        folder: For the planted secret.
        seconds: Of load and attack.
        seed: Decides the details of the attacks.
    """
    secret = f"secret-{os.urandom(8).hex()}"
    planted = folder / "planted.txt"
    planted.write_text(secret, encoding="utf-8")
    found = Soak(seconds=seconds)
    with ServiceProcess(model, "--with-page", descriptors=DESCRIPTORS) as service:
        address = urlsplit(service.url)
        assert address.hostname is not None
        assert address.port is not None
        asyncio.run(_load(service.url, _Load(found), 3, None))  # to warm up
        calm = Soak()
        asyncio.run(_load(service.url, _Load(calm), 8, None))
        found.capacity_per_s = calm.answered / 8
        found.answered = found.refused = 0
        before = _descriptors(service.process.pid)
        load = _Load(found, service.process.pid)
        with Attackers(address.hostname, address.port, str(planted), secret, seed) as attackers:
            asyncio.run(_load(service.url, load, seconds, 2 * found.capacity_per_s))
        found.attacks, found.leaks = attackers.num_attempts, attackers.leaks
        load.sum_up()
        time.sleep(10)  # idle connections run into their timeouts
        found.descriptors = (before, max(load.descriptors), _descriptors(service.process.pid))
        found.exit_status = service.end(120)
        found.odd_log_lines = [line for line in service.log.splitlines() if not _is_json(line)][:5]
        found.tracebacks = (service.log + service.said).count("Traceback")
    return found


class _Load:
    """What is noted while the load goes on."""

    def __init__(self, soak: Soak, pid: int | None = None) -> None:
        self.soak, self._pid = soak, pid
        self.latency_ms: list[float] = []
        self.health_ms: list[float] = []
        self.rss_mib: list[float] = []
        self.descriptors: list[int] = []

    def sample(self) -> None:
        if self._pid is not None:
            self.rss_mib.append(_rss_mib(self._pid))
            self.descriptors.append(_descriptors(self._pid))

    def sum_up(self) -> None:
        self.soak.latency_ms = _quantiles(self.latency_ms)
        self.soak.health_ms = _quantiles(self.health_ms)
        middle = len(self.rss_mib) // 2
        self.soak.rss_mib = (
            self.rss_mib[0],
            statistics.median(self.rss_mib[middle : middle + 5]),
            self.rss_mib[-1],
            max(self.rss_mib),
        )


async def _load(url: str, load: _Load, seconds: float, per_s: float | None) -> None:
    """Ask without a pause with a few callers, or at fixed times whatever happens."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200, keepalive_expiry=2)
    async with httpx.AsyncClient(base_url=url, timeout=90, limits=limits) as client:
        health = asyncio.create_task(_watch_health(url, load))
        end = time.perf_counter() + seconds
        if per_s is None:
            await asyncio.gather(
                *(_call_until(client, load, turn, end) for turn in range(_CALLERS))
            )
        else:
            await _call_at(client, load, seconds, per_s)
        health.cancel()


async def _call_until(client: httpx.AsyncClient, load: _Load, turn: int, end: float) -> None:
    while time.perf_counter() < end:
        await _ask(client, load, turn)
        turn += 1


async def _call_at(client: httpx.AsyncClient, load: _Load, seconds: float, per_s: float) -> None:
    tasks: set[asyncio.Task[None]] = set()
    start = time.perf_counter()
    for turn in itertools.count():
        if max(turn / per_s, time.perf_counter() - start) > seconds:
            break
        load.soak.sent += 1
        await asyncio.sleep(max(0.0, start + turn / per_s - time.perf_counter()))
        task = asyncio.create_task(_ask(client, load, turn))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


async def _ask(client: httpx.AsyncClient, load: _Load, turn: int) -> None:
    """Send one image; connections that were closed before they were read are opened again."""
    index = turn % len(COLOURS)
    start = time.perf_counter()
    for attempt in range(_MAX_ATTEMPTS):
        try:
            answer = await client.post("/v1/predict", files={"images": _IMAGES[index]})
            break
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            reason = repr(error)
            await asyncio.sleep(0.1 * 2**attempt)
        except httpx.HTTPError as error:
            load.soak.lost.append(f"request {turn}: {error!r}")
            return
    else:
        load.soak.lost.append(f"request {turn}: {reason}")
        return
    if answer.status_code == 200:
        guess = answer.json()["images"][0]["predictions"][0]["class"]
        if guess == COLOURS[index]:
            load.soak.answered += 1
            load.latency_ms.append(1000 * (time.perf_counter() - start))
        else:
            load.soak.wrong.append(f"request {turn}: {guess}")
    elif answer.status_code == 429 and "Retry-After" in answer.headers:
        load.soak.refused += 1
    else:
        load.soak.wrong.append(f"request {turn}: {answer.status_code} {answer.text[:200]}")


async def _watch_health(url: str, load: _Load) -> None:
    while True:
        await asyncio.sleep(_HEALTH_S)
        load.sample()
        start = time.perf_counter()
        errors = []
        for _ in range(_HEALTH_ATTEMPTS):
            try:
                async with httpx.AsyncClient(timeout=20) as client:
                    (await client.get(f"{url}/healthz")).raise_for_status()
            except httpx.HTTPError as error:
                errors.append(repr(error))
            else:
                load.health_ms.append(1000 * (time.perf_counter() - start))
                break
        load.soak.health_retries += len(errors)
        if len(errors) == _HEALTH_ATTEMPTS:
            load.soak.health_failures.append(errors[-1])


def _photo(index: int) -> bytes:
    """Return a large image of one colour: decoding, not this program, is to be the limit."""
    file = io.BytesIO()
    Image.open(io.BytesIO(colour_image(index))).resize(_PHOTO_SIZE).save(file, "JPEG")
    return file.getvalue()


_IMAGES = [_photo(index) for index in range(len(COLOURS))]


def _quantiles(values: list[float]) -> tuple[float, ...]:
    ordered = sorted(values) or [float("nan")]
    return tuple(round(ordered[int(q * (len(ordered) - 1))], 1) for q in (0.5, 0.99, 1.0))


def _rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
