"""Decodes only the parts of a JPEG that a crop needs: fewer rows, a coarser scale.

A JPEG stores cosine coefficients of 8 x 8 blocks, so a half, a quarter or an eighth of the size can
be decoded directly. Rows are stored in order, so those below a crop need not be decoded. simplejpeg
does both fastest (docs/benchmarks/input.md); without it Pillow, which includes the same
libjpeg-turbo, gives the same pixels.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.data.decode.jpeg_limits import read_jpeg_header
from resnext.errors import DataError

try:
    import simplejpeg
except ImportError:  # no wheel for this platform: Pillow does the same more slowly
    simplejpeg = None

FACTORS = (8, 4, 2, 1)
"""Scales with vector instructions in libjpeg-turbo; 3/8, 5/8 and so on are slower."""

_SEQUENTIAL = (0xC0, 0xC1)
_END = b"\xff\xd9"
_MAX_BYTES_AFTER_END = 64


@dataclass(frozen=True)
class Box:
    """A part of an image, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.height


def coarsest_factor(box: Box, size_px: int) -> int:
    """Return the largest reduction that leaves a crop at least as large as the output.

    Args:
        box: The crop in the full image.
        size_px: Side of the output.

    Returns:
        8, 4, 2 or 1: the result is then resized down, never up, unless the crop is small.
    """
    shortest = min(box.width, box.height)
    return next(factor for factor in FACTORS if factor == 1 or shortest >= factor * size_px)


def decode_top(
    data: bytes, size: tuple[int, int], bottom: int, factor: int
) -> npt.NDArray[np.uint8] | None:
    """Decode the upper rows of a JPEG at a fraction of its size.

    Args:
        data: A file of three components (color) or one (grey).
        size: Width and height from the header.
        bottom: First row that is not needed; `size[1]` decodes all rows.
        factor: 8, 4, 2 or 1.

    Returns:
        h x w x 3, where w is the width over the factor, rounded up, and h reaches at least down to
        `bottom`; each pixel is as in the whole image. None if the decoder reports any problem:
        Pillow decides whether a file is bad.
    """
    width, height = size
    kept = _rows_to_keep(data, bottom) if bottom < height else None
    if kept is not None:
        position, height = kept
        data = data[:position] + struct.pack(">H", height) + data[position + 2 :]
    if simplejpeg is None:
        return _decode_by_pillow(data, factor)
    try:
        pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data,
            min_height=-(-height // factor),
            min_width=-(-width // factor),
            # The rows that were cut off are bytes too many to the decoder, which it reports.
            strict=kept is None,
        )
    except ValueError:
        return None
    return pixels


def _decode_by_pillow(data: bytes, factor: int) -> npt.NDArray[np.uint8] | None:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.draft(None, (image.width // factor, image.height // factor))
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError):
        return None


def _rows_to_keep(data: bytes, bottom: int) -> tuple[int, int] | None:
    """Find a reduced height with which a decoder stops below a row.

    Returns:
        Position of the height in the file, and the reduced height: whole blocks plus one row of
        blocks, as color upsampling looks one row ahead. None if the file is progressive, which
        needs all blocks, has one scan per component, is truncated (whether it is bad must not
        depend on the crop) or would not get shorter.
    """
    if data.rfind(_END, max(0, len(data) - _MAX_BYTES_AFTER_END)) < 0:
        return None
    try:
        header = read_jpeg_header(data)
    except DataError:
        return None
    if data[header.frame] not in _SEQUENTIAL or not header.is_tidy:
        return None
    found = _read_frame(data, header.frame - 1)
    if found is None or data[header.scan + 3] != found[3]:
        return None
    offset, height, block_rows, _ = found
    kept = (-(-bottom // block_rows) + 1) * block_rows
    return (offset, kept) if kept < height else None


def _read_frame(data: bytes, position: int) -> tuple[int, int, int, int] | None:
    """Return position of the height, the height, rows of a block, number of components."""
    number = data[position + 9]
    if position + 10 + 3 * number > len(data) or number == 0:
        return None
    samplings = data[position + 11 : position + 10 + 3 * number : 3]
    offset = position + 5
    height = int.from_bytes(data[offset : offset + 2])
    return offset, height, 8 * max(sampling & 15 for sampling in samplings), number
