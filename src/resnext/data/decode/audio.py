"""One audio file as samples, within bounds that are checked before anything is decoded.

WAV, FLAC, Ogg (Vorbis, Opus) and MP3 are decoded by libsndfile, through the package soundfile.
"""

from __future__ import annotations

import os
import stat
import struct
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resnext.errors import DataError
from resnext.extras import import_for
from resnext.model.sound import MAX_RATE_HZ, MIN_RATE_HZ

if TYPE_CHECKING:
    import soundfile

AUDIO_ENDINGS = (".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3")

MAX_FILE_BYTES = 2**28
MAX_SAMPLES = 2**26
"""Samples of one file, all channels together, also when resampled: 12 minutes of a CD."""

MAX_CHANNELS = 64
FULL_SCALE = 32_768

Samples = npt.NDArray[np.float32]
Clip = npt.NDArray[np.int16]
"""c x t, in parts of `FULL_SCALE`."""

_ACCEPTED = "accepted are WAV, FLAC, Ogg and MP3"
_FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "MPEG")
_BLOCK = 2**16
_UNKNOWN_FRAMES = 2**62
_MAX_DENOMINATOR = 2**16
_MAX_CHUNKS = 1_000


def read_clip(path: Path, rate_hz: int, *, is_mono: bool = True) -> Clip:
    """Read a file at a rate.

    Samples beyond full scale, which only files of floats have, scale the whole clip down.

    Args:
        path: The file.
        rate_hz: Rate of the result.
        is_mono: Mix all channels to one.

    Returns:
        c x t, at least one sample.

    Raises:
        ConfigError: soundfile is not installed.
        DataError: The file cannot be read, is damaged, empty or beyond the bounds; the message is
            only the reason.
    """
    samples_tc, rate = _decode(path)
    samples_ct = samples_tc.mean(axis=1)[None] if is_mono else samples_tc.T
    _check_samples(samples_ct.size * rate_hz // rate)
    samples_ct = resample(samples_ct, rate, rate_hz)
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


def _decode(path: Path) -> tuple[Samples, int]:
    """Return all samples of a file, t x c, and its rate.

    The header does not decide how much memory is taken: blocks are read until there are no more.
    """
    with _open(path) as file:
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
        _check_samples(num_frames * file.channels)
        if not num_frames:
            raise DataError("has no samples")
        if file.format == "FLAC" and num_frames < file.frames:
            raise DataError(f"is cut off: {num_frames:,} of {file.frames:,} samples")
        return np.concatenate(blocks), file.samplerate


def _open(path: Path) -> soundfile.SoundFile:
    """Open a file and check what its header says."""
    package = import_for("audio", "soundfile")
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        _check_file(descriptor)
        file = package.SoundFile(descriptor, closefd=True)
    except OSError as error:
        _close(descriptor)
        raise DataError(f"cannot be read: {error.strerror}") from None
    except RuntimeError as error:
        _close(descriptor)
        raise DataError(f"is not an audio file: {_reason(error)}; {_ACCEPTED}") from None
    except DataError:
        _close(descriptor)
        raise
    try:
        _check_header(file)
    except DataError:
        file.close()
        raise
    return file


def _close(descriptor: int) -> None:
    """Close a descriptor, unless soundfile has done so."""
    if descriptor >= 0:
        try:
            os.close(descriptor)
        except OSError:
            return


def _check_file(descriptor: int) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise DataError("is not a regular file")
    if not status.st_size:
        raise DataError("is empty")
    if status.st_size > MAX_FILE_BYTES:
        raise DataError(
            f"has {status.st_size:,} bytes; accepted are at most {MAX_FILE_BYTES:,}; cut it into "
            "clips"
        )
    missing = _missing_bytes(descriptor, status.st_size)
    if missing:
        raise DataError(f"is cut off: {missing:,} bytes of its samples are missing")


def _check_header(file: soundfile.SoundFile) -> None:
    if file.format not in _FORMATS:
        raise DataError(f"is of the format {file.format}; {_ACCEPTED}")
    if not 1 <= file.channels <= MAX_CHANNELS:
        raise DataError(f"has {file.channels:,} channels; accepted are 1 to {MAX_CHANNELS:,}")
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ:
        raise DataError(
            f"has {file.samplerate:,} samples per second; accepted are {MIN_RATE_HZ:,} to "
            f"{MAX_RATE_HZ:,}"
        )
    if file.frames >= _UNKNOWN_FRAMES:
        raise DataError("does not say how many samples it has; convert it to a new file")
    _check_samples(file.frames * file.channels)


def _check_samples(num: int) -> None:
    if num > MAX_SAMPLES:
        raise DataError(
            f"has {num:,} samples; accepted are at most {MAX_SAMPLES:,} of all channels together; "
            "cut it into clips"
        )


def _missing_bytes(descriptor: int, size: int) -> int:
    """Return by how many bytes the samples of a WAV file are fewer than its header says.

    libsndfile silently reads what there is.
    """
    head = os.pread(descriptor, 12, 0)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 0
    place = len(head)
    for _ in range(_MAX_CHUNKS):
        chunk = os.pread(descriptor, 8, place)
        if len(chunk) < 8:
            return 0
        name, length = struct.unpack("<4sI", chunk)
        place += len(chunk)
        if name == b"data":
            is_unknown = length >= 2**32 - 2**16  # as programs write that stream
            return 0 if is_unknown else max(0, place + length - size)
        place += length + length % 2
    return 0


def _reason(error: RuntimeError) -> str:
    """Return what libsndfile says, without the file's name in front."""
    text = str(getattr(error, "error_string", error))
    return text.rstrip(". \n") or "libsndfile cannot read it"
