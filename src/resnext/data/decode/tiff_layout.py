"""How a TIFF holds its samples, and which range it declares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    FILLORDER,
    IMAGELENGTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    ROWSPERSTRIP,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    STRIPOFFSETS,
    ImageFileDirectory_v2,
)

from resnext.data.decode.depth import Range

RAW_MODES = {
    8: ("L", "L"),
    16: ("LA", "LA"),
    32: ("RGBA", "RGBA"),
    48: ("RGB", "RGB;16N"),
    64: ("RGBA", "RGBA;16N"),
}
"""Modes in which Pillow hands over pixels of so many bits as they are; of those with ";16" the
upper bytes only."""

_NUM_COLORS = {0: 1, 1: 1, 2: 3, 5: 4}  # white is zero, black is zero, RGB, CMYK
_MIN_SAMPLE, _MAX_SAMPLE, _S_MIN_SAMPLE, _S_MAX_SAMPLE = 280, 281, 340, 341
_JPEG = (6, 7)  # old and new
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # of numbers, as numpy names them
_BITS = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}


class TiffLayout(NamedTuple):
    """How a TIFF holds its samples.

    Attributes:
        photometric: What they mean.
        bits: Of each sample; 0 if they differ.
        kind: u, i or f as in numpy; empty if unknown.
        num_samples: Of each pixel.
        extra: Kinds of the samples behind the colors.
        is_planar: Each sample has a plane of its own.
        is_raw: Whether they are stored in strips without compression.
        is_in_even_strips: Whether they are stored in strips, not as JPEG; of separate planes, all
            strips are of the same height.
        byte_order: < or >.
    """

    photometric: int
    bits: int
    kind: str
    num_samples: int
    extra: tuple[int, ...]
    is_planar: bool
    is_raw: bool
    is_in_even_strips: bool
    byte_order: str

    @property
    def num_colors(self) -> int:
        """Samples of a pixel that are colors; 0 if they are none that is known here."""
        number = _NUM_COLORS.get(self.photometric, 0)
        return number if number <= self.num_samples else 0

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel."""
        return self.bits * self.num_samples

    @property
    def is_wide(self) -> bool:
        """Whether Pillow has no mode in which it could hand over a pixel."""
        has_planes = self.is_planar and self.num_samples > 1
        return not self.is_raw and (has_planes or self.pixel_bits not in RAW_MODES)

    @property
    def is_deep(self) -> bool:
        """Whether the samples are read here: Pillow has a wrong mode for them, or none."""
        if not self.kind or not self.num_colors:
            return False
        if self.bits == 12:
            return self.num_samples == 1 and self.kind == "u"
        if self.is_wide and not self.is_in_even_strips:
            return False
        is_odd = self.kind == "i" or (self.num_colors == 1 and self.num_samples > 1)
        return self.bits in _BITS[self.kind] and (self.bits > 8 or is_odd)

    def describe(self) -> str:
        """Describe the samples."""
        kind = {"u": "unsigned", "i": "signed", "f": "floating-point"}.get(self.kind, "unknown")
        return (
            f"{self.num_samples} sample(s) a pixel of {self.bits or 'different'} bits, {kind}, "
            f"photometric interpretation {self.photometric}"
        )


def read_layout(tags: ImageFileDirectory_v2) -> TiffLayout:
    """Read how a TIFF holds its samples."""
    num_samples = tags.get(SAMPLESPERPIXEL, 1)
    bits = tags.get(BITSPERSAMPLE, (1,))[:num_samples]
    kinds = tags.get(SAMPLEFORMAT, (1,))
    is_uniform = len(set(bits)) == len(set(kinds)) == 1
    is_planar = tags.get(PLANAR_CONFIGURATION, 1) == 2
    is_raw = tags.get(COMPRESSION, 1) == 1 and STRIPOFFSETS in tags and tags.get(FILLORDER, 1) == 1
    return TiffLayout(
        photometric=tags.get(PHOTOMETRIC_INTERPRETATION, 0),
        bits=bits[0] if is_uniform else 0,
        kind=_KINDS.get(kinds[0], "") if is_uniform else "",
        num_samples=num_samples,
        extra=tuple(tags.get(EXTRASAMPLES, ())),
        is_planar=is_planar,
        is_raw=is_raw,
        is_in_even_strips=_has_even_strips(tags, is_planar=is_planar),
        byte_order="<" if tags.prefix == b"II" else ">",
    )


def _has_even_strips(tags: ImageFileDirectory_v2, *, is_planar: bool) -> bool:
    if STRIPOFFSETS not in tags or tags.get(COMPRESSION, 1) in _JPEG:
        return False
    height = tags[IMAGELENGTH]
    rows = min(tags.get(ROWSPERSTRIP, height), height)
    return not is_planar or (rows > 0 and height % rows == 0)


def declared_range(tags: ImageFileDirectory_v2, layout: TiffLayout) -> tuple[Range, ...]:
    """Return the range that the file declares; 12 bits declare themselves."""
    if layout.bits == 12:
        return (Range(0, 2**12 - 1),)
    blacks = _numbers(tags, _S_MIN_SAMPLE) or _numbers(tags, _MIN_SAMPLE)
    whites = _numbers(tags, _S_MAX_SAMPLE) or _numbers(tags, _MAX_SAMPLE)
    if not whites:
        return ()
    black = min(blacks[: layout.num_colors], default=0.0)
    white = max(whites[: layout.num_colors])
    return (Range(black, white),) if black < white else ()


def _numbers(tags: ImageFileDirectory_v2, number: int) -> list[float]:
    value = tags.get(number, ())
    values = value if isinstance(value, tuple) else (value,)
    return [one for one in values if isinstance(one, (int, float)) and np.isfinite(one)]
