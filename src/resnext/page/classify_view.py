"""The HTML that the classify tab shows for each image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from resnext.data.prepare.geometry import Pixels
from resnext.drawing import data_address
from resnext.page.classifier import Answer
from resnext.page.heat_map import Heat
from resnext.untrusted.text import printable

_SHOWN_PX = 256
_STRONGEST = 0.7  # the image stays visible where the heat is strongest


def title_of_image(number: int, file_name: str | None) -> str:
    """Return the title of an image: its file name, or its number from 1.

    Args:
        number: Position among the images that were dropped together.
        file_name: Name of the caller's file; for display only, never a path on this machine.
    """
    return printable(file_name) if file_name else f"Image {number}"


def show_answer(title: str, answer: Answer, explained: int | None) -> str:
    """Return the pictures and classes of one image.

    Args:
        title: Title of the image.
        answer: The prediction.
        explained: Rank of the class whose heat map was requested.
    """
    crop = _enlarge(answer.crop)
    pictures = [figure(crop, title, f"{title}, as the network sees it")]
    if answer.heat is not None and explained is not None:
        of = printable(answer.classes[explained])
        pictures.append(figure(overlay(crop, answer.heat), f"Heat map: {of}", f"Heat map: {of}"))
    return with_bars("".join(pictures), answer.classes, answer.probabilities)


def with_bars(shown: str, classes: Sequence[str], probabilities: Sequence[float]) -> str:
    """Return what was classified, as HTML, beside its classes with a bar for each probability."""
    bars = [
        f'<div class="answer"><span>{escape(name)}</span><span>{100 * share:.1f} %</span>'
        f'<div class="bar"><span style="width:{100 * share:.2f}%"></span></div></div>'
        for name, share in zip(map(printable, classes), probabilities, strict=True)
    ]
    return f'<div class="image">{shown}<div class="answers">{"".join(bars)}</div></div>'


def overlay(crop: Pixels, heat: Heat) -> Pixels:
    """Overlay a heat map on a picture of any size, with warm colours for strong heat."""
    from matplotlib import colormaps

    height, width = crop.shape[:2]
    scaled = Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)
    heat_hw = np.clip(np.asarray(scaled), 0, 1)
    colour_hwc = colormaps["inferno"](heat_hw)[..., :3] * 255
    share_hw = _STRONGEST * np.sqrt(heat_hw)[..., None]
    mixed: Pixels = ((1 - share_hw) * crop + share_hw * colour_hwc).round().astype(np.uint8)
    return mixed


def _enlarge(crop: Pixels) -> Pixels:
    """Resize a crop to its display size, in colour; pixels of small crops stay visible."""
    image = Image.fromarray(crop[..., 0] if crop.shape[2] == 1 else crop).convert("RGB")
    is_small = max(image.size) < _SHOWN_PX
    image = image.resize(
        (_SHOWN_PX, round(_SHOWN_PX * image.height / image.width)),
        Image.Resampling.NEAREST if is_small else Image.Resampling.BILINEAR,
    )
    return np.array(image)


def figure(pixels: Pixels, caption: str, description: str) -> str:
    """Return a picture with a caption, as HTML."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=88)
    address = data_address(file.getvalue(), "image/jpeg")
    return (
        f'<figure><img src="{address}" alt="{escape(description)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
