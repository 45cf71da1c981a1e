"""Damaged files of audio and video in requests: each is answered, or refused with one error."""

from __future__ import annotations

import base64
import json
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from counts import Counts
from made_recordings import AUDIO, VIDEO, recording_model, sound_file, video_file
from mutation import mutate

from resnext.model.signal import SignalInput
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.problems import HttpError

_LIMITS = Limits(max_megapixels=1.0)
_MAX_BYTES = 2**32
_MAX_SECONDS = 10.0
_BARE = "application/octet-stream"


def _video(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return video_file(Path(folder), suffix)


def _json() -> bytes:
    return json.dumps({"signals": [base64.b64encode(sound_file()).decode()]}).encode()


BODIES: dict[str, tuple[str, SignalInput, Callable[[], bytes]]] = {
    **{kind: (_BARE, AUDIO, partial(sound_file, kind)) for kind in ("WAV", "FLAC", "OGG", "MP3")},
    **{kind: (_BARE, VIDEO, partial(_video, kind)) for kind in (".mp4", ".avi", ".webm", ".gif")},
    "json": ("application/json", AUDIO, _json),
}
"""Content type, kind of network and a whole body, by form."""


def run(num: int, seed: int, form: str) -> Counts:
    """Send damaged bodies of one form to a network for them.

    Args:
        num: How many.
        seed: Decides the damage.
        form: A key of `BODIES`.
    """
    kind, signal, make = BODIES[form]
    counts, model, whole = Counts(f"recordings, {form}"), recording_model(signal), make()
    for number in range(num):
        body = mutate(whole, random.Random(f"{seed} {form} {number}"))
        counts.add(f"{form} {seed} {number}", partial(answer, model, body, kind), HttpError)
    return counts


def answer(model: ServedModel, body: bytes, content_type: str) -> None:
    """Answer one body as the service does, without HTTP, within bounds of memory and time.

    Raises:
        HttpError: It is refused.
    """
    start = time.thread_time()
    try:
        uploads = model.read(body, content_type, 32)
        assert all(model.judge(upload, _LIMITS) <= _MAX_BYTES for upload in uploads)
        recordings = [model.decode(upload) for upload in uploads]
        assert len(model.run(recordings)) == len(recordings)
    finally:
        assert time.thread_time() - start < _MAX_SECONDS
