"""Damaged requests to the service of a detector: each is answered, or refused with one error."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from counts import Counts
from images import mutate as mutate_image
from made_detector import picture
from mutation import mutate
from starlette.testclient import TestClient

_WHOLE = ((5, 4, 25, 16), (30, 20, 70, 50), (2, 40, 20, 58))
_BOUNDARY = "x9fce"
_REFUSALS = frozenset({400, 408, 413, 415, 422, 429, 503})
_ODD = ("", "-1", "0", "1", "2", "0.5", "nan", "inf", "1e999", "9" * 40, "png", "rle", "%00", "[]")
_MAX_OBJECTS = 100


class RefusedError(Exception):
    """The service has refused a request with one of its own errors."""


def form_body(image: bytes) -> bytes:
    """Return an image as a form."""
    head = (
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; "
        'name="images"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    return head.encode() + image + f"\r\n--{_BOUNDARY}--\r\n".encode()


def json_body(image: bytes) -> bytes:
    """Return an image as JSON."""
    return json.dumps({"images": [base64.b64encode(image).decode()]}).encode()


BODIES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "form": (f"multipart/form-data; boundary={_BOUNDARY}", form_body),
    "json": ("application/json", json_body),
}
"""Content type, and what makes a body of an image, by form."""


def run(client: TestClient, num: int, seed: int, form: str) -> Counts:
    """Send requests with damage to the image, the body or the query.

    Args:
        client: Of a detector.
        num: How many.
        seed: Decides the damage.
        form: A key of `BODIES`.
    """
    kind, make = BODIES[form]
    counts = Counts(f"requests to a detector, {form}")
    whole = picture(80, 60, _WHOLE)
    for number in range(num):
        rng = random.Random(f"{seed} {form} {number}")
        image, query = whole, ""
        where = rng.choice(("image", "image", "body", "query", "all"))
        if where in ("image", "all"):
            image = mutate_image(whole, rng)
        body = make(image)
        if where in ("body", "all"):
            body = mutate(body, rng)
        if where in ("query", "all"):
            names = rng.sample(("top", "masks", "min_score"), rng.randint(1, 3))
            query = "?" + "&".join(f"{name}={rng.choice(_ODD)}" for name in names)
        counts.add(
            f"{form} {seed} {number}", partial(answer, client, body, kind, query), RefusedError
        )
    return counts


def answer(client: TestClient, body: bytes, content_type: str, query: str = "") -> None:
    """Send one request, and check its answer.

    Raises:
        RefusedError: It is refused.
    """
    headers = {"Content-Type": content_type}
    found = client.post(f"/v1/predict{query}", content=body, headers=headers)
    if found.status_code in _REFUSALS:
        assert {"code", "message"} <= set(found.json()["error"]) <= {"code", "message", "images"}
        raise RefusedError
    assert found.status_code == 200, found.status_code
    for image in found.json()["images"]:
        assert len(image["objects"]) <= _MAX_OBJECTS
        for one in image["objects"]:
            _check(one)


def _check(found: dict[str, Any]) -> None:
    assert 0 <= found["score"] <= 1
    left, top, right, bottom = found["box"]
    height, width = found["segmentation"]["size"]
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert sum(found["segmentation"]["counts"]) == height * width
