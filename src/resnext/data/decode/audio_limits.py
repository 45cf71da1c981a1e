"""What is accepted of an audio file, checked before a sample is decoded."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING

from resnext.data.decode.signal_errors import BeyondLimitError, OtherFormatError
from resnext.errors import DataError
from resnext.model.sound import MAX_RATE_HZ, MIN_RATE_HZ

if TYPE_CHECKING:
    import soundfile

MAX_FILE_BYTES = 2**28
MAX_SAMPLES = 2**26
"""Samples of one file, all channels together, also when resampled: 12 minutes of a CD."""

MAX_CHANNELS = 64
ACCEPTED = "accepted are WAV, FLAC, Ogg and MP3"

_FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "MPEG")
_UNKNOWN_FRAMES = 2**62
_UNKNOWN_LENGTHS = (range(2**31 - 2**16, 2**31 + 1), range(2**32 - 2**16, 2**32))
"""Bytes of samples that programs write which stream, such as arecord, SoX and FFmpeg."""

_MAX_CHUNKS = 1_000
_BYTES_PER_SAMPLE, _BYTES_PER_RESAMPLED = 12, 24


def check_file(descriptor: int) -> None:
    """Refuse what is no file, empty, too large or cut off.

    Raises:
        DataError: It is one of these.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise DataError("is not a regular file")
    if not status.st_size:
        raise DataError("is empty")
    if status.st_size > MAX_FILE_BYTES:
        raise BeyondLimitError(
            f"has {status.st_size:,} bytes; accepted are at most {MAX_FILE_BYTES:,}; cut it into "
            "clips"
        )
    missing = _missing_bytes(descriptor, status.st_size)
    if missing:
        raise DataError(f"is cut off: {missing:,} bytes of its samples are missing")


def check_header(file: soundfile.SoundFile) -> None:
    """Refuse a format, a number of channels or samples, or a rate that is not accepted.

    Raises:
        DataError: It is one of these.
    """
    if file.format not in _FORMATS:
        raise OtherFormatError(f"is of the format {file.format}; {ACCEPTED}")
    if not 1 <= file.channels <= MAX_CHANNELS:
        raise DataError(f"has {file.channels:,} channels; accepted are 1 to {MAX_CHANNELS:,}")
    if not MIN_RATE_HZ <= file.samplerate <= MAX_RATE_HZ:
        raise DataError(
            f"has {file.samplerate:,} samples per second; accepted are {MIN_RATE_HZ:,} to "
            f"{MAX_RATE_HZ:,}"
        )
    if file.frames >= _UNKNOWN_FRAMES:
        raise DataError("does not say how many samples it has; convert it to a new file")
    check_samples(file.frames * file.channels)


def check_samples(num: int) -> None:
    """Refuse too many samples.

    Raises:
        BeyondLimitError: They are.
    """
    if num > MAX_SAMPLES:
        raise BeyondLimitError(
            f"has {num:,} samples; accepted are at most {MAX_SAMPLES:,} of all channels together; "
            "cut it into clips"
        )


def clip_bytes(file: soundfile.SoundFile, rate_hz: int, *, is_mono: bool) -> int:
    """Return the memory in bytes that decoding a file takes at most.

    libsndfile never returns more samples than the header says.

    Args:
        file: The file, whose header was checked.
        rate_hz: Rate of the result.
        is_mono: Whether its channels are mixed.
    """
    num, rate = int(file.frames), int(file.samplerate)
    resampled = max(num, num * rate_hz // rate) * (1 if is_mono else int(file.channels))
    return _BYTES_PER_SAMPLE * num * int(file.channels) + _BYTES_PER_RESAMPLED * resampled


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
            is_unknown = any(length in lengths for lengths in _UNKNOWN_LENGTHS)
            return 0 if is_unknown else max(0, place + length - size)
        place += length + length % 2
    return 0
