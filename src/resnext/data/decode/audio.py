"""One audio file as samples, within bounds that are checked before anything is decoded.

WAV, FLAC, Ogg (Vorbis, Opus) and MP3 are decoded by libsndfile, through the package soundfile.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resnext.data.decode.audio_limits import (
    ACCEPTED,
    MAX_SAMPLES,
    check_file,
    check_header,
    check_samples,
    clip_bytes,
)
from resnext.data.decode.signal_errors import OtherFormatError
from resnext.errors import DataError
from resnext.extras import import_for

if TYPE_CHECKING:
    import soundfile

AUDIO_ENDINGS = (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3")

FULL_SCALE = 32_768

Samples = npt.NDArray[np.float32]
Clip = npt.NDArray[np.int16]
"""c x t, in parts of `FULL_SCALE`."""

AudioFile = Path | bytes
"""A file by its path, or its content."""

_BLOCK = 2**16
_MAX_DENOMINATOR = 2**16


def read_clip(source: AudioFile, rate_hz: int, *, is_mono: bool = True) -> Clip:
    """Read a file at a rate.

    Samples beyond full scale, which only files of floats have, scale the whole clip down.

    Args:
        source: The file.
        rate_hz: Rate of the result.
        is_mono: Mix all channels to one.

    Returns:
        c x t, at least one sample.

    Raises:
        ConfigError: soundfile is not installed.
        DataError: The file cannot be read, is damaged, empty or beyond the bounds; the message is
            only the reason.
    """
    samples_tc, rate = _decode(source)
    samples_ct = samples_tc.mean(axis=1)[None] if is_mono else samples_tc.T
    check_samples(samples_ct.size * rate_hz // rate)
    return to_clip(resample(samples_ct, rate, rate_hz))


def to_clip(samples_ct: Samples) -> Clip:
    """Return samples of -1 to 1 as a clip; those beyond scale the whole clip down.

    Raises:
        DataError: Some are not finite; the message is only the reason.
    """
    if not np.isfinite(samples_ct).all():
        raise DataError("has samples that are not finite numbers")
    peak = float(np.abs(samples_ct).max(initial=0.0))
    if peak > 1.0:
        samples_ct = samples_ct / np.float32(peak)
    scaled_ct = np.rint(samples_ct * np.float32(FULL_SCALE))
    clip_ct: Clip = np.clip(scaled_ct, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clip_ct


def read_facts(path: Path) -> tuple[int, float]:
    """Return the rate of a file in Hz and its length in seconds, as its header says.

    Raises:
        ConfigError: soundfile is not installed.
        DataError: As for `read_clip`.
    """
    with _open(path) as file:
        return file.samplerate, file.frames / file.samplerate


def decoding_bytes(source: AudioFile, rate_hz: int, *, is_mono: bool = True) -> int:
    """Check the header of a file, and return the memory in bytes that `read_clip` takes at most.

    Raises:
        ConfigError: soundfile is not installed.
        DataError: As for `read_clip`.
    """
    with _open(source) as file:
        return clip_bytes(file, rate_hz, is_mono=is_mono)


def resample(samples_ct: Samples, rate: int, rate_hz: int) -> Samples:
    """Resample by a polyphase filter; see `scipy.signal.resample_poly`.

    The ratio of the rates is the nearest one with a denominator up to 65,536.
    """
    if rate == rate_hz:
        return samples_ct
    from scipy.signal import resample_poly

    ratio = Fraction(rate_hz, rate).limit_denominator(_MAX_DENOMINATOR)
    resampled: Samples = resample_poly(samples_ct, ratio.numerator, ratio.denominator, axis=1)
    return resampled.astype(np.float32)


def _decode(source: AudioFile) -> tuple[Samples, int]:
    """Return all samples of a file, t x c, and its rate.

    The header does not decide how much memory is taken: blocks are read until there are no more.
    """
    with _open(source) as file:
        blocks: list[Samples] = []
        num_frames, most = 0, MAX_SAMPLES // file.channels
        try:
            while num_frames <= most:
                block = file.read(_BLOCK, dtype="float32", always_2d=True)
                if not len(block):
                    break
                blocks.append(block)
                num_frames += len(block)
        except RuntimeError as error:
            raise DataError(f"is damaged: {_reason(error)}") from None
        check_samples(num_frames * file.channels)
        if not num_frames:
            raise DataError("has no samples")
        if file.format == "FLAC" and num_frames < file.frames:
            raise DataError(f"is cut off: {num_frames:,} of {file.frames:,} samples")
        return np.concatenate(blocks), file.samplerate


@contextmanager
def _open(source: AudioFile) -> Iterator[soundfile.SoundFile]:
    """Open a file and check what its header says.

    The descriptor stays ours: if libsndfile closed it, its number could be another thread's by the
    time that we did so too.
    """
    package = import_for("audio", "soundfile")
    descriptor = _descriptor(source)
    try:
        try:
            check_file(descriptor)
            file = package.SoundFile(descriptor, closefd=False)
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}") from None
        except RuntimeError as error:
            raise OtherFormatError(f"is not an audio file: {_reason(error)}; {ACCEPTED}") from None
        with file:
            check_header(file)
            yield file
    finally:
        os.close(descriptor)


def _descriptor(source: AudioFile) -> int:
    """Open a file, or put a content into one without a name: both are then read alike."""
    if isinstance(source, Path):
        try:
            return os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise DataError(f"cannot be read: {error.strerror}") from None
    if sys.platform == "linux":
        with os.fdopen(os.memfd_create("audio"), "wb") as file:
            file.write(source)
            file.flush()
            descriptor = os.dup(file.fileno())
    else:
        with tempfile.TemporaryFile() as file:
            file.write(source)
            file.flush()
            descriptor = os.dup(file.fileno())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _reason(error: RuntimeError) -> str:
    """Return what libsndfile says, without the file's name in front."""
    text = str(getattr(error, "error_string", error))
    return text.rstrip(". \n") or "libsndfile cannot read it"
