"""Recordings, audio or video, that arrive as the content of a file, for an exported network.

They go through the same functions as those of `predict`. Needs torch, unlike `arrays`.
Legend: b recordings, v clips of a video, k classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.decode import audio
from resnext.data.decode.video import probe_video
from resnext.data.decode.video_limits import WorkLimit, check_pixels, decoding_bytes
from resnext.extras import import_for
from resnext.inference.signals import SignalPredictor
from resnext.inference.videos import average_logits, clips_of
from resnext.model.signal import SignalInput
from resnext.runtimes.exported import Array, Exported
from resnext.runtimes.module import as_trained
from resnext.runtimes.spec import Precision
from resnext.tasks.answer import Answer

MAX_WORK_PIXELS = 2**32
"""Of all frames that are decoded for one video: about 2,000 frames of 1,920 x 1,080."""


def require_decoder(signal: SignalInput) -> None:
    """Check that recordings can be decoded here.

    Raises:
        ConfigError: The package that does it is not installed.
    """
    if signal.sound is not None:
        import_for("audio", "soundfile")
    else:
        import_for("reading video", "av")


def check_recording(data: bytes, signal: SignalInput, max_pixels: int) -> int:
    """Check the header of a recording, and return the memory in bytes that decoding it takes.

    Args:
        data: The content of its file.
        signal: How it is prepared.
        max_pixels: Of a frame of a video.

    Raises:
        DataError: It is not what is accepted; see `resnext.data.decode.signal_errors`.
    """
    if signal.sound is not None:
        is_mono = signal.in_channels == 1
        return audio.decoding_bytes(data, signal.sound.rate_hz, is_mono=is_mono)
    assert signal.video is not None  # as of all other recordings
    facts = probe_video(data)
    check_pixels(facts.width, facts.height, max_pixels)
    short_side_px = max(signal.video.resize_px, signal.size)
    clips = 2 * signal.video.clips * signal.in_channels * math.prod(signal.sides)
    return clips + decoding_bytes(facts.width, facts.height, short_side_px, signal.video.frames)


def decode_recording(data: bytes, predictor: SignalPredictor) -> torch.Tensor:
    """Decode a recording whose header was checked.

    Returns:
        int16 c x samples, or uint8 v x c x frames x side x side.

    Raises:
        DataError: It is damaged, has other channels, or takes too much work.
    """
    if predictor.signal.sound is not None:
        return predictor.clip(data)
    return clips_of(data, predictor.signal, WorkLimit(MAX_WORK_PIXELS))


class RecordingPredictor:
    """An exported network for audio or video, with what is needed to show it a file's content.

    Attributes:
        network: The network.
        signal: How recordings are prepared for it.
        classes: Readable names of its outputs.
        precision: Of the arithmetic.
        answers: The type of its answers.
    """

    def __init__(self, exported: Exported) -> None:
        """Take a network for audio or video.

        Raises:
            ConfigError: The package that decodes its files is not installed.
        """
        self._predictor = SignalPredictor(as_trained(exported))
        self.network = exported
        self.signal: SignalInput = self._predictor.signal
        self.classes = self._predictor.classes
        self.precision: Precision = exported.spec.precision
        self.answers = self._predictor.answers
        require_decoder(self.signal)

    def decoding_bytes(self, data: bytes, max_pixels: int) -> int:
        """Check the header of a recording; see `check_recording`."""
        return check_recording(data, self.signal, max_pixels)

    def prepare(self, data: bytes) -> Array:
        """Decode a recording whose header was checked; see `decode_recording`."""
        return decode_recording(data, self._predictor).numpy()

    def logits(self, recordings: Sequence[Array]) -> npt.NDArray[np.float32]:
        """Run prepared recordings through the network; of a video, its clips are averaged.

        Returns:
            b x k.

        Raises:
            CheckpointError: The runtime fails.
        """
        if self.signal.sound is not None:
            return self._predictor.logits(torch.from_numpy(np.stack(recordings)))
        return np.stack(
            [average_logits(self._predictor, torch.from_numpy(one)) for one in recordings]
        )

    def answer(self, outputs: npt.NDArray[Any], top: int) -> Answer:
        """Read what the network computed for one recording; see `Predictor.answer`."""
        return self._predictor.answer(outputs, top)

    def made(self, num: int) -> list[Array]:
        """Make prepared recordings of noise, for trying out and timing."""
        signal, draw = self.signal, np.random.default_rng(0)
        if signal.sound is not None:
            shape = (num, signal.in_channels, signal.size)
            return list(draw.integers(-10_000, 10_000, shape, np.int16))
        assert signal.video is not None  # as of all other recordings
        one = (signal.video.clips, signal.in_channels, *signal.sides)
        return list(draw.integers(0, 256, (num, *one), np.uint8))
