"""All files of a split as clips of one length, decoded by several threads.

Legend: n clips, c channels, t samples of one clip, l samples stored of every clip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from resnext.data.decode.audio import Clip, read_clip, read_facts
from resnext.data.file_split import FileSplit
from resnext.data.random import subset_order
from resnext.errors import DataError
from resnext.machine import num_cores
from resnext.untrusted.text import printable

FoundT = TypeVar("FoundT")

MAX_STORED = 2**30
"""Samples of one set in memory: two gibibytes."""

_NUM_LOOKED_AT = 2_000
_MAX_RATE_HZ = 16_000
_MAX_SECONDS = 10.0
_USUAL_SHARE = 95
_CHUNK = 256


@dataclass(frozen=True)
class FileFacts:
    """What the headers of a sample of files say.

    Attributes:
        rate_hz: The most frequent rate, at most 16,000.
        seconds: Length of 95 % of the files, at most 10.
        longest: Length of the longest file in seconds.
    """

    rate_hz: int
    seconds: float
    longest: float


@dataclass(frozen=True)
class Decoded:
    """The clips of a split.

    Attributes:
        values_ncl: int16; shorter clips are in the middle of silence, of longer ones it is the
            middle.
        lengths_n: Samples of each clip among those, int64.
        kept: Numbers of the files that could be read.
        bad: Path and reason of those that could not.
        peaks_n: Largest absolute value of each clip.
    """

    values_ncl: npt.NDArray[np.int16]
    lengths_n: npt.NDArray[np.int64]
    kept: list[int]
    bad: tuple[tuple[str, str], ...]
    peaks_n: npt.NDArray[np.int64]


def look(split: FileSplit) -> FileFacts:
    """Read the headers of a sample of files.

    Raises:
        DataError: None of them can be read.
    """
    paths = [split.path(index) for index in subset_order(len(split))[:_NUM_LOOKED_AT].tolist()]
    found = [facts for facts in in_threads(read_facts, paths) if not isinstance(facts, DataError)]
    if not found:
        reason = next(iter(in_threads(read_facts, paths[:1])))
        raise DataError(f"no audio file can be read; {printable(str(paths[0]))} {reason}")
    rates = Counter(rate for rate, _ in found)
    rate_hz = max(rates, key=lambda rate: (rates[rate], rate))
    lengths = np.array([seconds for _, seconds in found])
    usual = np.ceil(10 * np.percentile(lengths, _USUAL_SHARE) - 1e-6) / 10
    return FileFacts(
        min(rate_hz, _MAX_RATE_HZ), min(max(float(usual), 0.1), _MAX_SECONDS), float(lengths.max())
    )


def decode_all(
    split: FileSplit, rate_hz: int, stored: int, *, is_mono: bool, threads: int | None = None
) -> Decoded:
    """Decode the files of a split.

    Args:
        split: The files.
        rate_hz: Rate of the clips.
        stored: Samples to store of every clip.
        is_mono: Mix all channels.
        threads: By default one a core.

    Raises:
        DataError: Two files differ in their channels.
    """
    _check_size(len(split), 1, stored, str(split.root))
    values_ncl = np.zeros((len(split), 1, stored), np.int16)
    lengths_n, peaks_n = (np.zeros(len(split), np.int64) for _ in range(2))
    kept: list[int] = []
    bad = []
    paths = [split.path(index) for index in range(len(split))]

    def read(path: Path) -> Clip:
        return read_clip(path, rate_hz, is_mono=is_mono)

    for index, clip_ct in enumerate(in_threads(read, paths, threads)):
        if isinstance(clip_ct, DataError):
            bad.append((str(paths[index]), str(clip_ct)))
            continue
        if not kept and len(clip_ct) > 1:
            _check_size(len(split), len(clip_ct), stored, str(split.root))
            values_ncl = np.zeros((len(split), len(clip_ct), stored), np.int16)
        if len(clip_ct) != values_ncl.shape[1]:
            raise DataError(
                f"{paths[index]}: {len(clip_ct)} channel(s), while {paths[kept[0]]} has "
                f"{values_ncl.shape[1]}; all must have the same, or mix them: leave out "
                "data.audio.channels=all"
            )
        row = len(kept)
        values_ncl[row] = fit_clip(clip_ct, stored)
        lengths_n[row] = min(clip_ct.shape[1], stored)
        peaks_n[row] = np.abs(clip_ct.astype(np.int32)).max()
        kept.append(index)
    num = len(kept)
    return Decoded(values_ncl[:num], lengths_n[:num], kept, tuple(bad), peaks_n[:num])


def _check_size(num: int, channels: int, stored: int, what: str) -> None:
    if num * channels * stored > MAX_STORED:
        raise DataError(
            f"{what}: {num:,} files of {channels:,} channel(s) and up to {stored:,} samples are "
            f"more than the {MAX_STORED:,} samples that are held in memory; give a shorter length "
            "(--set data.audio.seconds=S), a lower rate (data.audio.rate_hz=N) or fewer files"
        )


def fit_clip(clip_ct: Clip, length: int) -> Clip:
    """Put a clip into the middle of silence, or take its middle.

    Returns:
        c x length.
    """
    channels, samples = clip_ct.shape
    if samples >= length:
        start = (samples - length) // 2
        return clip_ct[:, start : start + length]
    fitted_cl = np.zeros((channels, length), dtype=clip_ct.dtype)
    start = (length - samples) // 2
    fitted_cl[:, start : start + samples] = clip_ct
    return fitted_cl


def in_threads(
    work: Callable[[Path], FoundT], paths: Iterable[Path], threads: int | None = None
) -> Iterator[FoundT | DataError]:
    """Yield what a function finds in each file, in order; soundfile works without Python's lock.

    Args:
        work: Reads one file.
        paths: The files; only some hundreds are ahead.
        threads: By default one a core.
    """

    def attempt(path: Path) -> FoundT | DataError:
        try:
            return work(path)
        except DataError as error:
            return error

    with ThreadPoolExecutor(threads or num_cores(), thread_name_prefix="audio") as pool:
        rest = iter(paths)
        while chunk := list(islice(rest, _CHUNK)):
            yield from pool.map(attempt, chunk)
