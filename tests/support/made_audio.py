"""Small audio files of tones that a tiny network can tell apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

LOW_HZ, HIGH_HZ = 300.0, 1_500.0


def tone(
    frequency_hz: float, seconds: float = 0.2, rate_hz: int = 8_000, level: float = 0.5
) -> npt.NDArray[np.float64]:
    """Return a sine."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return level * np.sin(2 * np.pi * frequency_hz * times)


def write_tone(path: Path, frequency_hz: float, rate_hz: int = 8_000, **facts: Any) -> Path:
    """Write a sine as the kind of file that the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(frequency_hz, rate_hz=rate_hz, **facts), rate_hz)
    return path


def write_tones(
    folder: Path, num_train: int = 12, num_test: int = 6, *, rate_hz: int = 8_000
) -> Path:
    """Write train/ and test/ with the classes low and high, of unequal lengths, and return it.

    Args:
        folder: Where.
        num_train: Files of each class for training.
        num_test: Files of each class for testing.
        rate_hz: Their rate.
    """
    for split, num in (("train", num_train), ("test", num_test)):
        for label, frequency_hz in (("low", LOW_HZ), ("high", HIGH_HZ)):
            for number in range(num):
                draw = np.random.default_rng(
                    [number, int(frequency_hz), num_train * (split == "test")]
                )
                write_tone(
                    folder / split / label / f"{number:02d}.wav",
                    frequency_hz * draw.uniform(0.9, 1.1),
                    rate_hz=rate_hz,
                    seconds=0.1 + 0.1 * draw.random(),
                    level=draw.uniform(0.1, 0.8),
                )
    return folder
