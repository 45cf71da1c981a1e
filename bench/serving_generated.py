"""Sends generated requests to a running service: none may cause a 5xx or end the process.

There are three kinds: image files of every format with bytes changed, removed, duplicated or
truncated; bodies (forms and JSON) damaged in the same way; and requests with odd parameters,
headers and methods. The generator is seeded, so a harmful request can be reproduced from its
number. 429 is accepted, since the service may be overloaded.

    resnext serve model.onnx --port 8000 &
    python bench/serving_generated.py http://127.0.0.1:8000 --requests 50000 [--key KEY]
"""

from __future__ import annotations

import argparse
import base64
import collections
import io
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
from PIL import Image

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA")
_KINDS = (
    "application/json",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "text/plain",
    "image/png",
    "application/json; charset=utf-16",
    "",
)
_TOPS = ("", "?top=1", "?top=0", "?top=-1", "?top=99999999999999999999", "?top=x", "?top=1&top=2")
_METHODS = ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND")
_PATHS = ("/v1/predict", "/v1/model", "/metrics", "/readyz", "/docs", "/openapi.json", "/../x")


@dataclass
class Request:
    """One request to send."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def make_request(number: int) -> Request:
    """Generate the request with a number, the same each time."""
    rng = random.Random(number)
    kind = number % 3
    top = rng.choice(_TOPS)
    if kind == 0:
        images = [mutate(make_image(rng), rng) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
        return _as_form(images, top) if rng.random() < 0.5 else _as_json(images, top)
    if kind == 1:
        images = [make_image(rng)]
        whole = _as_form(images, top) if rng.random() < 0.5 else _as_json(images, top)
        return Request("POST", whole.path, mutate(whole.body, rng), whole.headers)
    if rng.random() < 0.5:
        return Request(rng.choice(_METHODS), rng.choice(_PATHS) + top)
    body = rng.randbytes(rng.choice((0, 1, 10, 1000)))
    return Request("POST", "/v1/predict" + top, body, {"Content-Type": rng.choice(_KINDS)})


def make_image(rng: random.Random) -> bytes:
    """Generate a small complete image file of some format and mode."""
    sides = (rng.choice((1, 2, 7, 31, 64, 200)), rng.choice((1, 3, 16, 50)))
    image = Image.frombytes("L", sides, rng.randbytes(sides[0] * sides[1]))
    for form in rng.sample(_FORMATS, len(_FORMATS)):
        file = io.BytesIO()
        try:
            image.convert(rng.choice(_MODES)).save(file, form)
        except (OSError, ValueError, KeyError):  # the format has no such mode
            continue
        return file.getvalue()
    raise AssertionError("some format has some mode")


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Damage some bytes in one to four of six ways, or, one time in eight, not at all."""
    if rng.random() < 0.125:
        return data
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        size = len(damaged)
        # Half of the positions are near the start, where headers are.
        at = rng.randrange(size + 1) if rng.random() < 0.5 else rng.randrange(min(size, 64) + 1)
        length = rng.choice((1, 2, 4, 16, 256))
        way = rng.randrange(6)
        if way == 0:
            damaged[at : at + length] = rng.randbytes(length)
        elif way == 1:
            del damaged[at : at + length]
        elif way == 2:
            damaged[at:at] = damaged[at : at + length]
        elif way == 3:
            del damaged[at:]
        elif way == 4:
            damaged[at : at + length] = rng.choice((b"\0", b"\xff", b"\x7f")) * length
        elif at < size:
            damaged[at] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _as_form(images: list[bytes], top: str) -> Request:
    head = b'--b\r\nContent-Disposition: form-data; name="images"; filename="../x"\r\n\r\n'
    body = b"".join(head + image + b"\r\n" for image in images) + b"--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return Request("POST", "/v1/predict" + top, body, kind)


def _as_json(images: list[bytes], top: str) -> Request:
    texts = [base64.b64encode(image).decode() for image in images]
    body = json.dumps({"images": texts}).encode()
    return Request("POST", "/v1/predict" + top, body, {"Content-Type": "application/json"})


def send(client: httpx.Client, number: int) -> tuple[int, str]:
    """Send the request with a number.

    Returns:
        Its status, and the problem of the answer; a dropped connection has status 0.
    """
    request = make_request(number)
    try:
        answer = client.request(
            request.method, request.path, content=request.body, headers=request.headers
        )
    except httpx.HTTPError as error:
        return 0, f"request {number}: {error!r}"
    if answer.status_code >= 500:
        return answer.status_code, f"request {number}: {answer.text[:200]}"
    if answer.status_code >= 400 and request.method != "HEAD" and "error" not in answer.json():
        return answer.status_code, f"request {number}: not the common form: {answer.text[:200]}"
    return answer.status_code, ""


def attack(url: str, numbers: range, *, threads: int = 4, key: str = "") -> dict[str, object]:
    """Send the requests with some numbers, and count the answers."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    start = time.perf_counter()
    with (
        httpx.Client(base_url=url, headers=headers, timeout=120) as client,
        ThreadPoolExecutor(threads) as pool,
    ):
        results = list(pool.map(lambda number: send(client, number), numbers, chunksize=1))
        alive = client.get("/healthz").status_code == 200
    wrong = [text for _, text in results if text]
    return {
        "requests": len(results),
        "statuses": dict(sorted(collections.Counter(status for status, _ in results).items())),
        "wrong": wrong[:20],
        "num_wrong": len(wrong),
        "alive": alive,
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.requests)
    told = attack(options.url, numbers, threads=options.threads, key=options.key)
    print(json.dumps(told, indent=2))
    raise SystemExit(0 if told["alive"] and not told["num_wrong"] else 1)


if __name__ == "__main__":
    main()
