"""Kills a replica of the service under load, and reports what the callers see.

Start the service first; it needs at least two replicas on this machine.

    resnext serve MODEL.onnx --cluster local --replicas 2 --port 8790 &
    python bench/serving_replica.py http://127.0.0.1:8790 IMAGES_FOLDER [--seconds 60]

Four callers send without pauses; after a third of the time, one replica is killed with SIGKILL.
Every answer is compared with the earlier answer for the same image.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

_CALLERS = 4
_IMAGES = 8
_TOLERANCE = 1e-3  # of a probability: another batch size sums in another order


async def ask(client: httpx.AsyncClient, image: bytes) -> tuple[int, list[dict[str, Any]]]:
    """Return the status, and the predictions if it is 200."""
    answer = await client.post("/v1/predict", files={"images": ("image", image, "image/jpeg")})
    if answer.status_code != 200:
        return answer.status_code, []
    return 200, answer.json()["images"][0]["predictions"]


def same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Compare two lists of predictions."""
    return all(
        one["class"] == other["class"]
        and abs(one["probability"] - other["probability"]) < _TOLERANCE
        for one, other in zip(found, wanted, strict=True)
    )


async def measure(address: str, images: list[bytes], seconds: float) -> dict[str, int]:
    """Load the service, kill a replica, and count the outcomes of the requests."""
    outcome: collections.Counter[str] = collections.Counter()
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        wanted = [(await ask(client, image))[1] for image in images]
        end = time.monotonic() + seconds

        async def caller(number: int) -> None:
            while time.monotonic() < end:
                number += 1
                try:
                    status, found = await ask(client, images[number % len(images)])
                except httpx.HTTPError as error:
                    outcome[type(error).__name__] += 1
                    continue
                if status == 200:
                    is_right = same(found, wanted[number % len(images)])
                    outcome["right" if is_right else "wrong"] += 1
                else:
                    outcome[str(status)] += 1

        async def kill() -> None:
            await asyncio.sleep(seconds / 3)
            found = subprocess.run(
                ["pgrep", "-f", "ray::ServeReplica"], capture_output=True, text=True, check=True
            )
            os.kill(int(found.stdout.split()[0]), signal.SIGKILL)

        await asyncio.gather(kill(), *(caller(number) for number in range(_CALLERS)))
    return dict(outcome)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("images", type=Path, help="folder with JPEG files")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    files = sorted(arguments.images.rglob("*.jpg"))[:_IMAGES]
    images = [file.read_bytes() for file in files]
    print(asyncio.run(measure(arguments.address, images, arguments.seconds)))


if __name__ == "__main__":
    main()
