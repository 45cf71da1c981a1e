"""Damaged bodies of requests with signals: each is answered, or refused with one error."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial

import numpy as np
from counts import Counts
from made_signal_service import npy, npz, signal_model
from mutation import mutate

from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.problems import HttpError

_WAVE = np.sin(np.arange(24, dtype=np.float32)).reshape(2, 12)
_LIMITS = Limits()
_MAX_BYTES = 2**27

BODIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "npy": ("application/octet-stream", lambda: npy(_WAVE)),
    "npy, columns first": ("application/octet-stream", lambda: npy(np.asfortranarray(_WAVE))),
    "npz": ("application/octet-stream", lambda: npz(x=_WAVE)),
    "json": ("application/json", lambda: json.dumps({"signals": [_WAVE.tolist()]}).encode()),
}
"""Content type and a whole body, by form."""


def run(num: int, seed: int, form: str) -> Counts:
    """Send damaged bodies of one form to a network for series.

    Args:
        num: How many.
        seed: Decides the damage.
        form: A key of `BODIES`.
    """
    kind, make = BODIES[form]
    counts, model, whole = Counts(f"signals, {form}"), signal_model(), make()
    for number in range(num):
        body = mutate(whole, random.Random(f"{seed} {form} {number}"))
        counts.add(f"{form} {seed} {number}", partial(answer, model, body, kind), HttpError)
    return counts


def answer(model: ServedModel, body: bytes, content_type: str) -> None:
    """Answer one body as the service does, without HTTP.

    Raises:
        HttpError: It is refused.
    """
    uploads = model.read(body, content_type, 32)
    assert all(model.judge(upload, _LIMITS) <= _MAX_BYTES for upload in uploads)
    signals = [model.decode(upload) for upload in uploads]
    assert len(model.run(signals)) == len(signals)
