"""Small pictures of images in a split, for reports."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from resnext.data.split import Split
from resnext.drawing import data_address
from resnext.errors import DataError

_SIDE_PX = 144
_SMALL_PX = 64
_MAX_CHARS = 400


@dataclass(frozen=True)
class Thumbnail:
    """A picture of an image.

    Attributes:
        index: The image's number in its split.
        address: The picture itself, as a `data:` address.
        is_small: Whether to enlarge it with visible pixels.
        name: Path relative to the folder of the data set, or the image's number.
        text: The text, shown instead of a picture, of a split of texts.
    """

    index: int
    address: str
    is_small: bool
    name: str
    text: str = ""


def make_thumbnails(indices: Sequence[int], split: Split, in_channels: int) -> list[Thumbnail]:
    """Read some images again; those no longer readable are left out.

    Args:
        indices: Numbers of the images.
        split: The images.
        in_channels: Their channels.
    """
    images = split.pictures(in_channels)
    made = []
    for index in indices:
        if text := split.text(index):
            short = text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}…"
            made.append(Thumbnail(index, "", False, _name(split, index), short))
            continue
        try:
            image = images.open(index)
        except DataError:
            continue
        is_small = max(image.size) <= _SMALL_PX
        address = _encode(image, is_small=is_small)
        made.append(Thumbnail(index, address, is_small, _name(split, index)))
    return made


def _encode(image: Image.Image, *, is_small: bool) -> str:
    file = io.BytesIO()
    if is_small:
        image.save(file, "PNG")
        return data_address(file.getvalue(), "image/png")
    image.thumbnail((_SIDE_PX, _SIDE_PX))
    image.save(file, "JPEG", quality=80)
    return data_address(file.getvalue(), "image/jpeg")


def _name(split: Split, index: int) -> str:
    return split.name(index).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
