"""Draws objects on their image: masks in colours, and boxes with class and score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from resnext.tasks.segmentation.colors import class_colors
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.tasks.detection.answer import FoundObject

_TEXT_PX = 12
_MASK_SHARE = 0.5


def draw_objects(
    image: Image.Image, objects: Sequence[FoundObject], classes: Sequence[str]
) -> Image.Image:
    """Return a picture of the image with its objects, the surest on top.

    Args:
        image: The decoded, upright image.
        objects: The surest first.
        classes: Names of all classes, which decide the colours.
    """
    colors = class_colors(classes)
    picture = _with_masks(image.convert("RGB"), objects, colors)
    canvas = ImageDraw.Draw(picture)
    line_px = max(2, min(picture.size) // 200)
    font = ImageFont.load_default(max(_TEXT_PX, min(picture.size) // 40))
    for found in reversed(objects):
        color = tuple(map(int, colors[found.label]))
        canvas.rectangle(found.box, outline=color, width=line_px)
        text = f"{printable(found.name)} {100 * found.score:.0f}"
        place = (found.box[0] + line_px, max(found.box[1] - line_px, 0))
        back = canvas.textbbox(place, text, font=font)
        canvas.rectangle(back, fill=color)
        canvas.text(place, text, fill="white" if sum(color) < 384 else "black", font=font)
    return picture


def _with_masks(
    picture: Image.Image,
    objects: Sequence[FoundObject],
    colors: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> Image.Image:
    """Mix the colours of masks into a picture."""
    masks = [(found.label, found.mask) for found in reversed(objects) if found.mask is not None]
    if not masks:
        return picture
    pixels_hwc = np.array(picture, dtype=np.float32)
    for label, mask in masks:
        rows, columns = mask.pixels_hw.shape
        part_hwc = pixels_hwc[mask.top : mask.top + rows, mask.left : mask.left + columns]
        mixed_n3 = part_hwc[mask.pixels_hw] * (1 - _MASK_SHARE) + colors[label] * _MASK_SHARE
        part_hwc[mask.pixels_hw] = mixed_n3
    return Image.fromarray(pixels_hwc.round().astype(np.uint8))
