"""Samples that Pillow would truncate or clip to 8 bits, and their conversion to an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.data.decode.depth import Range, Values, mark_assumed, range_of, to_8_bits
from resnext.data.decode.flatten import PREMULTIPLIED


@dataclass(frozen=True)
class Samples:
    """Samples of any depth.

    Attributes:
        values_hwc: One (grey) or three (RGB) colors, then transparency if `has_alpha`; or the
            four of CMYK.
        declared: Ranges that the file may declare; see `range_of`.
        has_alpha: Whether the last sample is opacity.
        is_premultiplied: Whether the colors are multiplied by it.
        is_inverted: Whether the lowest value is white.
        transparent: The transparent color.
    """

    values_hwc: Values
    declared: tuple[Range, ...] = ()
    has_alpha: bool = False
    is_premultiplied: bool = False
    is_inverted: bool = False
    transparent: tuple[int, ...] | None = None

    def to_image(self) -> Image.Image:
        """Return the 8-bit image, with transparency if any.

        Raises:
            DataError: No sample is a finite number.
        """
        num_colors = self.values_hwc.shape[2] - self.has_alpha
        limits = range_of(self.values_hwc[:, :, :num_colors], self.declared)
        pixels = to_8_bits(self.values_hwc, limits)
        if self.is_inverted:
            np.invert(pixels[:, :, :num_colors], out=pixels[:, :, :num_colors])
        image = _to_image(pixels, num_colors, is_premultiplied=self.is_premultiplied)
        if self.transparent is not None:
            is_opaque = (self.values_hwc != np.array(self.transparent)).any(axis=2)
            image.putalpha(Image.fromarray(is_opaque.astype(np.uint8) * 255))
        mark_assumed(image, limits.assumed)
        return image


def _to_image(
    pixels_hwc: npt.NDArray[np.uint8], num_colors: int, *, is_premultiplied: bool
) -> Image.Image:
    if pixels_hwc.shape[2] == 1:
        return Image.fromarray(pixels_hwc[:, :, 0])
    if num_colors == 4:
        height, width, _ = pixels_hwc.shape
        return Image.frombytes("CMYK", (width, height), pixels_hwc.tobytes())
    image = Image.fromarray(pixels_hwc)  # by the number of samples LA, RGB or RGBA
    if is_premultiplied:
        image.info[PREMULTIPLIED] = True
    return image
