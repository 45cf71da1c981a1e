"""HTML for an image with a class for each pixel: the image under its mask, and a legend."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from resnext.drawing import data_address
from resnext.tasks.segmentation.answer import MaskAnswer
from resnext.tasks.segmentation.colors import class_colors
from resnext.untrusted.text import printable

OPACITY = 55
"""Initial opacity of the mask, in percent."""

SET_OPACITY = (
    "(percent) => {"
    "document.documentElement.style.setProperty('--mask-opacity', percent / 100); return [] }"
)
"""JavaScript that changes the opacity of all masks without a request to the server."""

_SHOWN_PX = 720
_MAX_LEGEND = 30


def show_mask(title: str, image: Image.Image, answer: MaskAnswer) -> str:
    """Return an image under its mask, and its classes with their colours and shares.

    Args:
        title: Title of the image.
        image: The network's input.
        answer: The class of each pixel.
    """
    scale = min(_SHOWN_PX / max(image.size), 1.0)
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    below = to_picture(image.convert("RGB").resize(size), "JPEG", quality=88)
    mask = Image.fromarray(answer.mask_hw).resize(size, Image.Resampling.NEAREST)
    above = to_picture(_in_colors(np.asarray(mask), answer.classes), "PNG")
    described = f"{title} with its classes in colours"
    return (
        '<div class="mask"><figure><div class="layers">'
        f'<img src="{below}" alt="{escape(title)}">'
        f'<img src="{above}" alt="{escape(described)}"></div>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
        f'<ul class="legend">{_legend(answer)}</ul></div>'
    )


def _in_colors(
    mask_hw: np.ndarray[tuple[int, ...], np.dtype[np.integer]], classes: tuple[str, ...]
) -> Image.Image:
    """Return a mask in colours; black, the usual background, is transparent."""
    colors = class_colors(classes)
    opaque = 255 * colors.any(axis=1, keepdims=True).astype(np.uint8)
    return Image.fromarray(np.concatenate([colors, opaque], axis=1)[mask_hw])


def _legend(answer: MaskAnswer) -> str:
    colors = class_colors(answer.classes)
    rows = [
        legend_row(colors[value], name, f"{100 * share:.1f} %")
        for name, value, share in answer.areas[:_MAX_LEGEND]
    ]
    left_out = len(answer.areas) - _MAX_LEGEND
    return "".join(rows) + (f"<li>and {left_out} smaller classes</li>" if left_out > 0 else "")


def legend_row(color: Sequence[int], name: str, text: str) -> str:
    """Return a row of a legend: colour and name of a class, and a text."""
    return (
        f'<li><span class="color" style="background:rgb({",".join(map(str, color))})"></span>'
        f"<span>{escape(printable(name))}</span><span>{escape(text)}</span></li>"
    )


def to_picture(image: Image.Image, kind: str, **options: int) -> str:
    """Return an image as an address that holds its data."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return data_address(file.getvalue(), f"image/{kind.lower()}")
