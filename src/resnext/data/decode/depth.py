"""Samples of any depth brought to 8 bits: which value is black, and which is white.

A file of 16 bits may hold values of 12, one of 32 those of 8. Where the file declares its range
(sBIT of PNG, the largest value of PGM, BitsPerSample and MaxSampleValue of TIFF), that counts.
Otherwise it is assumed from the values of the image alone, so that every verb sees the same
pixels, and the assumption is reported.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.errors import DataError
from resnext.untrusted.text import printable

Values = npt.NDArray[Any]
"""Samples, h x w x c."""

_LOG = logging.getLogger(__name__)
# What cameras, scanners and monitors use, in bits.
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_BAND_VALUES = 2**20  # converted at a time, to need little memory
# Floats that were resized or sharpened exceed their range a little.
_OVERSHOOT = 1.05
_UNDERSHOOT = 1 / 16
_MAX_OF_UNIT_RANGE = 2.0
_INFO_KEY = "resnext assumed range"


@dataclass(frozen=True)
class Range:
    """The values that become black and white.

    Attributes:
        black: Becomes 0.
        white: Becomes 255.
        assumed: What was assumed, in words; empty where the file declares its range.
    """

    black: float
    white: float
    assumed: str = ""


def range_of(values: Values, declared: Sequence[Range] = ()) -> Range:
    """Find the range of an image's color samples.

    Args:
        values: Unsigned or signed integers, or floats of which some may not be finite.
        declared: Ranges that the file may declare; the first that contains all values is used.

    Raises:
        DataError: No value is finite.
    """
    low, high = _extremes(values)
    for limits in declared:
        if limits.black <= low and high <= limits.white:
            return limits
    if values.dtype.kind == "f":
        return _range_of_floats(low, high)
    bits = 8 * values.dtype.itemsize
    if low < 0:
        depth = next(d for d in (*_DEPTHS, 64) if -(2 ** (d - 1)) <= low and high < 2 ** (d - 1))
        assumed = "" if depth >= bits else _words(high, f"signed values of {depth} bits")
        return Range(-(2 ** (depth - 1)), 2 ** (depth - 1) - 1, assumed)
    if bits == 16 and high < 2**14 and _is_left_aligned(values):
        return Range(0, 2**16 - 1)
    full = bits - (values.dtype.kind == "i")
    depth = next((d for d in _DEPTHS if d < full and high < 2**d), full)
    assumed = "" if depth == full else _words(high, f"values of {depth} bits")
    return Range(0, 2**depth - 1, assumed)


def to_8_bits(values: Values, limits: Range) -> npt.NDArray[np.uint8]:
    """Scale samples to 0..255; values outside the range are clipped, NaN becomes black."""
    pixels = np.empty(values.shape, np.uint8)
    for rows in _bands(values):
        pixels[rows] = _scaled(values[rows], limits)
    return pixels


def mark_assumed(image: Image.Image, assumed: str) -> None:
    """Record in an image what was assumed about its range, if anything."""
    if assumed:
        image.info[_INFO_KEY] = assumed


def assumed_of(image: Image.Image) -> str:
    """Return what was assumed about an image's range; empty if nothing."""
    return str(image.info.get(_INFO_KEY, ""))


class AssumptionLog:
    """Reports assumed value ranges, once per set of files."""

    def __init__(self) -> None:
        """Start without a report."""
        self._is_reported = False

    def report(self, path: str, assumed: str) -> None:
        """Report what was assumed about a file, for the first such file only."""
        if assumed and not self._is_reported:
            self._is_reported = True
            _LOG.warning(
                "%s does not declare its value range: %s. Other such files are treated the same "
                "way, each by its own values. To control this, save 8 bits, or declare the range "
                "(PNG: sBIT, TIFF: MaxSampleValue, PGM: the largest value)",
                printable(path),
                assumed,
            )


def _words(high: float, what: str) -> str:
    return f"assumed {what} from its largest value, {high:g}"


def _bands(values: Values) -> list[slice]:
    height = len(values)
    rows = max(1, _BAND_VALUES // max(1, values[:1].size))
    return [slice(top, top + rows) for top in range(0, height, rows)]


def _extremes(values: Values) -> tuple[float, float]:
    lows, highs = [], []
    for rows in _bands(values):
        band = values[rows]
        if band.dtype.kind == "f":
            band = band[np.isfinite(band)]
        if band.size:
            lows.append(band.min().item())
            highs.append(band.max().item())
    if not lows:
        raise DataError("no pixel of the image is a finite number")
    return min(lows), max(highs)


def _range_of_floats(low: float, high: float) -> Range:
    if high <= _MAX_OF_UNIT_RANGE and low >= -_MAX_OF_UNIT_RANGE:
        black = -1 if low < -0.5 else 0
        return Range(black, 1, _words(high, f"{black} to 1"))
    is_signed = low < -high * _UNDERSHOOT
    largest = max(high, -low)
    depth = next((d for d in _DEPTHS if largest < _OVERSHOOT * 2 ** (d - is_signed)), None)
    if depth is None:
        return Range(low, high, _words(high, "the range of its own values"))
    white = 2 ** (depth - is_signed) - 1
    kind = "signed values" if is_signed else "values"
    return Range(-white - 1 if is_signed else 0, white, _words(high, f"{kind} of {depth} bits"))


def _is_left_aligned(values: Values) -> bool:
    """Return whether 16-bit values are repeated or shifted 8-bit values."""
    return any(
        all(not (values[rows] % step).any() for rows in _bands(values)) for step in (256, 257)
    )


def _scaled(values: Values, limits: Range) -> Values:
    black, white = limits.black, limits.white
    depth = int(white + 1).bit_length() - 1
    if values.dtype.kind == "u" and black == 0 and white + 1 == 2**depth and depth >= 8:
        largest = min(int(white), np.iinfo(values.dtype).max)
        return np.minimum(values, largest) >> (depth - 8)  # the upper 8 bits
    scaled = (values.astype(np.float64) - black) * (255 / (white - black))
    cut: Values = np.rint(np.nan_to_num(scaled.clip(0, 255), nan=0.0))
    return cut
