"""Load test from a separate process: the service's capacity, then twice as much for a while.

1. Overhead: requests with a full batch of images, one after another, alternating with the same
   images in the same session in this process while the service is idle. It is reported relative
   to the session alone, and relative to decoding, preprocessing and the session.
2. Capacity: answers per second to a few callers that send without pauses.
3. Twice the capacity: requests start at fixed times whether or not others were answered (an
   open loop), for --seconds. Every answer is compared with the session's answer for that image.
   A request that was neither answered nor refused with 429 and Retry-After is lost.
4. SIGTERM under that load: all accepted requests must be answered, and the status must be 0.

The memory of the service is read from /proc throughout.

    python bench/serving_load.py MODEL.onnx IMAGES_FOLDER [--seconds 600] [--threads 1]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import onnxruntime

from resnext.data.prepare.geometry import Pixels
from resnext.inference.files import find_images
from resnext.runtimes.open import open_exported
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.preparation import check_header
from resnext.turns import take_turns

_START = "import sys; from resnext.cli.serve import main; sys.exit(main(sys.argv[1:]))"
_TOLERANCE = 1e-3  # of a probability: another batch size sums in another order
_SAMPLE_S = 1.0


@dataclass
class Outcome:
    """The outcome of the requests of one phase."""

    answered_ms: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: int = 0
    refused_badly: int = 0
    not_connected: int = 0
    rss_mib: list[float] = field(default_factory=list)

    def told(self, seconds: float) -> dict[str, Any]:
        """Sum up."""
        times = sorted(self.answered_ms)
        share = [times[int(q * (len(times) - 1))] if times else None for q in (0.5, 0.95, 0.99)]
        half = len(self.rss_mib) // 2
        return {
            "seconds": round(seconds, 1),
            "answered": len(times),
            "answered_per_s": round(len(times) / seconds, 2),
            "refused_429_with_retry_after": self.refused,
            "refused_otherwise": self.refused_badly,
            "not_connected": self.not_connected,
            "wrong": len(self.wrong),
            "lost": len(self.lost),
            "examples": (self.wrong + self.lost)[:5],
            "p50_p95_p99_max_ms": [*share, times[-1] if times else None],
            "rss_mib_first_middle_last_max": [
                self.rss_mib[0],
                statistics.median(self.rss_mib[half : half + 5]),
                self.rss_mib[-1],
                max(self.rss_mib),
            ]
            if self.rss_mib
            else None,
        }


class Expected:
    """Images, and the network's answer for each one alone."""

    def __init__(self, model: ServedModel, folder: Path, num_images: int) -> None:
        paths = [path for path, _ in zip(find_images([folder]), range(num_images), strict=False)]
        self.images = [path.read_bytes() for path in paths]
        self.pixels = [prepare(model, image) for image in self.images]
        self.best = [model.answer(model.run([pixels])[0], 1).ranked[0] for pixels in self.pixels]

    def is_right(self, number: int, answer: httpx.Response) -> bool:
        """Return whether an answer for an image is as expected."""
        (guess, *_) = answer.json()["images"][0]["predictions"]
        best = self.best[number]
        is_close = abs(guess["probability"] - best.probability) < _TOLERANCE
        return bool(is_close and guess["class"] == best.name)


class Process:
    """The service in its own process."""

    def __init__(self, model: Path, threads: int, cpus: str, options: list[str]) -> None:
        command = [sys.executable, "-c", _START, str(model), "--port", "0", "--no-page"]
        command += ["--threads", str(threads), *options]
        prefix = ["taskset", "-c", cpus] if cpus else []
        self.child = subprocess.Popen(
            prefix + command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self.child.stderr is not None
        for line in self.child.stderr:
            if found := re.search(r"on (http://\S+)", line):
                self.url = found[1]
                break
        else:
            raise SystemExit("the service did not start")
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            client.get(f"{self.url}/readyz")

    def rss_mib(self) -> float:
        """Return the memory that it uses."""
        try:
            status = Path(f"/proc/{self.child.pid}/status").read_text()
        except OSError:
            return 0.0
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return round(int(found[1]) / 1024, 1) if found else 0.0


async def ask(client: httpx.AsyncClient, expected: Expected, turn: int, outcome: Outcome) -> None:
    """Send one image and record the outcome."""
    number = turn % len(expected.images)
    start = time.perf_counter()
    try:
        answer = await client.post("/v1/predict", files={"images": expected.images[number]})
    except httpx.ConnectError:
        outcome.not_connected += 1
        return
    except httpx.HTTPError as error:
        outcome.lost.append(f"request {turn}: {error!r}")
        return
    if answer.status_code == 200:
        outcome.answered_ms.append(round(1000 * (time.perf_counter() - start), 1))
        if not expected.is_right(number, answer):
            outcome.wrong.append(f"image {number}: {answer.text[:200]}")
    elif answer.status_code == 429 and "Retry-After" in answer.headers:
        outcome.refused += 1
    else:
        outcome.refused_badly += 1
        outcome.wrong.append(f"request {turn}: {answer.status_code} {answer.text[:200]}")


async def closed_loop(
    process: Process, expected: Expected, callers: int, seconds: float
) -> Outcome:
    """Run some callers that send without pauses."""
    outcome, end = Outcome(), time.perf_counter() + seconds

    async def caller(turn: int) -> None:
        while time.perf_counter() < end:
            await ask(client, expected, turn, outcome)
            turn += callers

    async with _client(process) as client:
        await asyncio.gather(*(caller(turn) for turn in range(callers)))
    return outcome


async def open_loop(
    process: Process, expected: Expected, per_s: float, seconds: float, *, ends: bool = False
) -> Outcome:
    """Send requests at fixed times; with `ends`, SIGTERM half-way."""
    outcome, start = Outcome(), time.perf_counter()
    tasks: set[asyncio.Task[None]] = set()
    next_sample, is_told = 0.0, False
    async with _client(process) as client:
        for turn in range(int(per_s * seconds)):
            now = time.perf_counter() - start
            if now >= next_sample:
                outcome.rss_mib.append(process.rss_mib())
                next_sample = now + _SAMPLE_S
            if ends and not is_told and now > seconds / 2:
                process.child.send_signal(signal.SIGTERM)
                is_told = True
            await asyncio.sleep(max(0.0, turn / per_s - now))
            task = asyncio.create_task(ask(client, expected, turn, outcome))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
    return outcome


def _client(process: Process) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=512, max_keepalive_connections=512, keepalive_expiry=2)
    return httpx.AsyncClient(base_url=process.url, timeout=120, limits=limits)


def prepare(model: ServedModel, image: bytes) -> Pixels:
    """Preprocess an image file as the service does."""
    check_header(image, Limits())
    return model.decode(image)


def overhead(
    process: Process, model: ServedModel, expected: Expected, batch: int, pairs: int
) -> dict[str, Any]:
    """Time batches in the service and in the session alternately."""
    images, pixels = expected.images[:batch], expected.pixels[:batch]
    files = [("images", image) for image in images]

    def service() -> None:
        client.post("/v1/predict", files=files).raise_for_status()

    def session() -> None:
        model.run(pixels)

    def session_with_images() -> None:
        model.run([prepare(model, image) for image in images])

    with httpx.Client(base_url=process.url, timeout=120) as client:
        service()
        before = _own_times(process)
        times = take_turns([service, session, session_with_images], pairs, warm_up=1)
    ratio = _own_share(process, before)
    names = ("service", "session", "with_images")
    medians = dict(zip(names, map(statistics.median, times), strict=True))
    return {
        "batch": len(pixels),
        "pairs": pairs,
        "median_ms": {name: round(1000 * value, 2) for name, value in medians.items()},
        "over_session_inside_the_service": ratio,
        "over_session": round(medians["service"] / medians["session"] - 1, 4),
        "over_session_and_decoding": round(medians["service"] / medians["with_images"] - 1, 4),
    }


def _own_times(process: Process) -> tuple[float, float]:
    """Return the seconds that the service spent on predictions, and in the session, so far."""
    figures = httpx.get(f"{process.url}/metrics").text
    names = ('resnext_request_seconds_sum{route="/v1/predict"}', "resnext_inference_seconds_sum")
    values = [
        float(line.rpartition(" ")[2])
        for name in names
        for line in figures.splitlines()
        if line.startswith(name)
    ]
    return values[0], values[1]


def _own_share(process: Process, before: tuple[float, float]) -> float:
    """Return the time of requests outside the session, by the service's own metrics."""
    requests, session = (now - then for now, then in zip(_own_times(process), before, strict=True))
    return round(requests / session - 1, 4)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run all phases."""
    model = ServedModel(open_exported(options.model, threads=options.threads), options.model.stem)
    expected = Expected(model, options.images, 64)
    process = Process(options.model, options.threads, options.cpus, options.serve)
    told: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "onnxruntime": onnxruntime.__version__,
        "threads": options.threads,
        "overhead": overhead(process, model, expected, options.batch, options.pairs),
    }
    for callers in (1, 4, 16):
        outcome = asyncio.run(closed_loop(process, expected, callers, options.warm_s))
        told[f"capacity_{callers}_callers"] = outcome.told(options.warm_s)
    capacity = max(told[f"capacity_{callers}_callers"]["answered_per_s"] for callers in (1, 4, 16))
    per_s = options.times * capacity
    told["load_per_s"] = per_s
    start = time.perf_counter()
    outcome = asyncio.run(open_loop(process, expected, per_s, options.seconds))
    told["overload"] = outcome.told(time.perf_counter() - start)
    outcome = asyncio.run(open_loop(process, expected, per_s, options.warm_s, ends=True))
    told["sigterm_under_load"] = outcome.told(options.warm_s)
    told["exit_status"] = process.child.wait(120)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--warm-s", type=float, default=10)
    parser.add_argument("--times", type=float, default=2, help="load as a multiple of the capacity")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpus", default="", help="CPU cores of the service, for taskset")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--serve", nargs="*", default=[], help="more options for `serve`")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
