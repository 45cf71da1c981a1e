"""16-bit PNG images, of which Pillow only keeps the upper 8 bits, and transparent colors."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile

from resnext.data.decode.depth import Range, Values
from resnext.data.decode.png_chunks import split_png
from resnext.data.decode.samples import Samples

UPPER_OF_16 = 2**6
"""An upper byte of at least this shows that the values use 16 bits."""

_BITS, _COLOR = 24, 25  # where the header says them
_GREY, _RGB, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 4, 6
# Pillow keeps the first byte of two; with the order exchanged it keeps the second.
_LOWER_BYTES = {"RGB": "RGB;16L", "RGBA": "RGBA;16L"}


class PngFile(PngImageFile):
    """A PNG opened with Pillow, without chunks that do not affect pixels.

    Its EXIF and XMP metadata is in `info`, even if stored after the pixels.

    Attributes:
        content: The file without those chunks.
    """

    def __init__(self, data: bytes) -> None:
        """Read the header.

        Args:
            data: The file.

        Raises:
            SyntaxError: It is damaged.
        """
        self._parts = split_png(data)
        self.content = self._parts.pixels
        super().__init__(io.BytesIO(self._parts.pixels))
        self.info.update(self._notes())

    def getexif(self) -> Image.Exif:
        """Return the EXIF metadata; Pillow would decode the pixels to reach it."""
        return Image.Image.getexif(self)

    def samples(self) -> Samples | None:
        """Read the samples; None if Pillow's own 8 bits are right.

        Raises:
            DataError: They are damaged.
        """
        pixels, bits = self._parts.pixels, self._parts.sample_bits
        if pixels[_BITS] != 16:
            return None
        declared: tuple[Range, ...] = ()
        if 0 < bits <= 16:
            # By the standard the bits are moved up to fill 16; many programs leave them below.
            declared = (Range(0, 2**bits - 1), Range(0, 2**16 - 1))
        color, transparent = pixels[_COLOR], self._parts.transparent
        if color == _GREY:
            values = np.asarray(self).astype(np.uint16, copy=False)[:, :, None]
            return Samples(values, declared, transparent=transparent)
        if color == _GREY_ALPHA:
            set_raw_mode(self, "RGBA")  # the four bytes of each pixel
            return Samples(np.asarray(self).view(">u2"), declared, has_alpha=True)
        self.load()
        if transparent is None and self._largest_upper_byte() >= _full_from(bits):
            return None  # the upper bytes are the image
        lower = PngFile(pixels)
        set_raw_mode(lower, _LOWER_BYTES[self.mode])
        values = join_bytes(np.asarray(self), np.asarray(lower))
        return Samples(values, declared, color == _RGB_ALPHA, transparent=transparent)

    def _largest_upper_byte(self) -> int:
        ranges = np.array(self.getextrema())  # least and most of each band
        return int(ranges[:3, 1].max())

    def _notes(self) -> dict[str | tuple[int, int], Any]:
        parts, notes = self._parts, dict[str | tuple[int, int], Any]()
        if parts.exif:
            notes["exif"] = b"Exif\0\0" + parts.exif
        if parts.xmp:
            notes["xmp"] = parts.xmp
        bits = parts.pixels[_BITS]
        if parts.transparent is not None and bits < 16:
            # Pillow brings samples of fewer bits to 8.
            color = tuple(sample * 255 // (2**bits - 1) for sample in parts.transparent)
            notes["transparency"] = color if len(color) == 3 else color[0]
        return notes


def _full_from(sample_bits: int) -> int:
    """Return the lowest upper byte that shows that the values use 16 bits."""
    return 1 << sample_bits - 8 if 8 < sample_bits < 16 else UPPER_OF_16


def set_raw_mode(image: ImageFile.ImageFile, raw_mode: str) -> None:
    """Change how Pillow unpacks the pixels of an opened image."""
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]


def join_bytes(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8]) -> Values:
    """Combine bytes to 16-bit values."""
    values = upper.astype(np.uint16)
    values <<= 8
    values |= lower
    return values
