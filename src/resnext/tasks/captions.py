"""Captions below a picture. Needs no torch."""

from __future__ import annotations

import textwrap

from PIL import Image, ImageDraw, ImageFont

from resnext.untrusted.text import printable

_MIN_WIDTH_PX = 240
_MARGIN_PX = 6
_MAX_LINES = 6


def write_below(image: Image.Image, text: str) -> Image.Image:
    """Return a picture of an image with a strip of text below it; small images are enlarged.

    Args:
        image: Of any mode.
        text: The caption; lines that do not fit are left out.
    """
    picture = image.convert("RGB")
    if picture.width < _MIN_WIDTH_PX:
        factor = -(-_MIN_WIDTH_PX // picture.width)
        size = (picture.width * factor, picture.height * factor)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    font = ImageFont.load_default(max(12, picture.width // 40))
    per_line = max(int((picture.width - 2 * _MARGIN_PX) / font.getlength("n")), 1)
    lines = textwrap.wrap(printable(text), per_line)[:_MAX_LINES]
    canvas = ImageDraw.Draw(picture)
    box = canvas.multiline_textbbox((0, 0), "\n".join(lines), font=font)
    strip_px = round(box[3]) + 2 * _MARGIN_PX
    result = Image.new("RGB", (picture.width, picture.height + strip_px), "white")
    result.paste(picture)
    place = (_MARGIN_PX, picture.height + _MARGIN_PX)
    ImageDraw.Draw(result).multiline_text(place, "\n".join(lines), fill="black", font=font)
    return result
