"""How large the images of a set are, from a few headers. Nothing here needs torch."""

from __future__ import annotations

import statistics
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.data.decode.image import Photo, read_file
from resnext.data.sets.layout import find_layout
from resnext.data.sets.listing_cache import list_images
from resnext.errors import DataError

_SIDES_PX = {"digits": 8, "fashion-mnist": 28, "cifar10": 32, "cifar100": 32}
_NUM_SIZED = 15


def typical_side_px(data: DataConfig) -> int | None:
    """Return the median of the shorter sides of some training images, in pixels.

    Returns:
        None for sets other than folders, and where no image can be read.

    Raises:
        DataError: The folder holds no class folders.
    """
    if data.name in _SIDES_PX:
        return data.image_size_px or _SIDES_PX[data.name]
    if data.image_size_px is not None:
        return data.image_size_px
    if data.name != "folder" or data.root is None:
        return None
    layout = find_layout(data.root)
    root = layout.splits.get("train", data.root)
    names = list_images(root).names
    step = max(1, len(names) // _NUM_SIZED)
    sides = [_short_side(root / names[place]) for place in range(0, len(names), step)]
    known = [side for side in sides if side is not None]
    return round(statistics.median(known)) if known else None


def _short_side(file: Path) -> int | None:
    try:
        return min(Photo(read_file(file)).size)
    except DataError:
        return None
