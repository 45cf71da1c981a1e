"""Classes of pixels in colours: the palette of mask files, and masks laid over images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

_GOLDEN_RATIO = 0.61803398875  # turns of the colour circle that never come back to one place
_SHADES = ((0.85, 0.95), (0.55, 1.0), (0.95, 0.6))  # saturation and value, in turn
_OPACITY = 0.55
_BACKGROUND = frozenset({"background", "_background_", "bg"})
_NO_CLASS = (224, 224, 192)  # what Pascal VOC draws around its objects

Colors = npt.NDArray[np.uint8]


def class_colors(classes: Sequence[str]) -> Colors:
    """Return a colour for each class, k x 3; a class called background is black."""
    colors = np.zeros((len(classes), 3), dtype=np.uint8)
    for label, name in enumerate(classes):
        if name.casefold() in _BACKGROUND:
            continue
        saturation, value = _SHADES[label % len(_SHADES)]
        rgb = colorsys.hsv_to_rgb(label * _GOLDEN_RATIO % 1.0, saturation, value)
        colors[label] = [round(255 * part) for part in rgb]
    return colors


def to_palette_image(mask_hw: npt.NDArray[np.integer], classes: Sequence[str]) -> Image.Image:
    """Return a mask as an image whose pixels are the numbers of the classes.

    With up to 256 classes it has a palette for display; numbers that are not a class are pale
    yellow. With more classes it is a 16-bit image without colours.
    """
    if len(classes) > 256:
        return Image.fromarray(mask_hw.astype(np.uint16))
    image = Image.fromarray(mask_hw.astype(np.uint8), mode="P")
    palette = np.full((256, 3), _NO_CLASS, dtype=np.uint8)
    palette[: len(classes)] = class_colors(classes)
    image.putpalette(palette.tobytes())
    return image


def overlay(
    image: Image.Image, mask_hw: npt.NDArray[np.integer], classes: Sequence[str]
) -> Image.Image:
    """Overlay a mask on an image; background and pixels without a class are unchanged."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
    colors = class_colors(classes)
    shown_k = np.array([name.casefold() not in _BACKGROUND for name in classes])
    is_class_hw = mask_hw < len(classes)
    numbers_hw = np.where(is_class_hw, mask_hw, 0)
    is_shown_hw = is_class_hw & shown_k[numbers_hw]
    mixed = (1.0 - _OPACITY) * pixels + _OPACITY * colors[numbers_hw]
    return Image.fromarray(
        np.where(is_shown_hw[:, :, None], mixed, pixels).round().astype(np.uint8)
    )
