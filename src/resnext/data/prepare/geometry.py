"""Resize and crop of one image. Needs no torch, so that a service needs none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.model.card import Interpolation

Pixels = npt.NDArray[np.uint8]

_MAX_RATIO = 10
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def resize_short_side(
    image: Image.Image, side_px: int, interpolation: Interpolation = "bilinear"
) -> Image.Image:
    """Resize an image to a short side, with antialiasing.

    A very long image is first cut, see `cut_long`.
    """
    image = cut_long(image)
    width, height = image.size
    # The long side is rounded down, as torchvision's Resize does.
    scale = (side_px * width // min(width, height), side_px * height // min(width, height))
    return image if scale == image.size else image.resize(scale, _FILTERS[interpolation])


def cut_long(image: Image.Image) -> Image.Image:
    """Crop an image longer than ten times its width to its middle; return others unchanged.

    Resizing a line of pixels by its short side could need any amount of memory; networks that
    resize in the graph need the crop too.
    """
    longest = _MAX_RATIO * min(image.size)
    if max(image.size) <= longest:
        return image
    return center_crop(image, min(image.height, longest), min(image.width, longest))


def center_crop(image: Image.Image, height: int, width: int) -> Image.Image:
    """Return the centre crop of an image that is at least as large."""
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def pixels_of(image: Image.Image) -> Pixels:
    """Return the pixels of an RGB or grey image, h x w x c."""
    pixels = np.array(image)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
