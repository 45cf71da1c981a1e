"""A folder of image files that is a video: its frames in natural order.

Legend: t frames, h x w pixels, c colours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.data.decode.image import decode
from resnext.data.decode.image_names import is_image_name
from resnext.data.decode.video_limits import VIDEO_SUFFIXES, check_count, resized

Frames = npt.NDArray[np.uint8]
"""t x h x w x c, RGB."""

_DIGITS_OR_ONE = re.compile("[0-9]+|[^0-9]")


def is_frame_folder(folder: Path) -> bool:
    """Return whether a folder is a video by the names in it: images, and no video such as a GIF."""
    return bool(_images_alone(folder))


def frame_names(folder: Path) -> list[str]:
    """Return the image files of a folder in order.

    Names of one length, such as those with leading zeros, are in the order of their characters;
    otherwise numbers in them count by their value: 2.png comes before 10.png.

    Raises:
        DataError: There is none, also because there are videos; or there are too many.
    """
    names = sorted(_images_alone(folder))
    check_count(len(names))
    if len(set(map(len, names))) > 1:
        names.sort(key=_natural)
    return names


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that orders names by their characters, but numbers by their value."""
    parts = _DIGITS_OR_ONE.findall(name)
    # digits stand together in any alphabet, so that 0 stands for them all among the others
    return [("0", int(part)) if part[0] in "0123456789" else (part, 0) for part in parts]


def _images_alone(folder: Path) -> list[str]:
    """Return the image files of a folder; none where there is a video, too."""
    with os.scandir(folder) as entries:
        files = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    names = [name for name in files if not name.startswith(".")]
    if any(name.lower().endswith(VIDEO_SUFFIXES) for name in names):
        return []
    return [name for name in names if is_image_name(name)]


def read_image_files(folder: Path, numbers: Sequence[int], short_side_px: int) -> Frames:
    """Read some frames; see `resnext.data.decode.video.read_frames`."""
    names = frame_names(folder)
    chosen = [min(number, len(names) - 1) for number in numbers]
    size: tuple[int, int] | None = None
    frames: dict[int, Frames] = {}
    for number in dict.fromkeys(chosen):
        image = decode(folder / names[number])
        size = size or resized(*image.size, short_side_px)
        frames[number] = np.asarray(image.resize(size, Image.Resampling.BILINEAR))
    return np.stack([frames[number] for number in chosen])
