"""Measures image sizes of a data set from a few headers. Nothing here needs torch."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.data.decode.image import Photo, read_file
from resnext.data.sets.layout import find_layout
from resnext.data.sets.listing import IMAGES
from resnext.data.sets.listing_cache import list_images
from resnext.errors import DataError

_SIDES_PX = {"digits": 8, "fashion-mnist": 28, "cifar10": 32, "cifar100": 32}
_NUM_SIZED = 100
_NUM_AT_A_GLANCE = 15
_MAX_DECODED_PIXELS = 2**25
"""Of one split: a hundred images of 580 x 580 pixels, in about half a second."""


@dataclass(frozen=True)
class ImageSizes:
    """Widths and heights of a sample of the images, in pixels.

    Attributes:
        num_images: Number of sampled images.
        smallest: Size of the smallest area.
        median: Median width and median height.
        largest: Size of the largest area.
        median_short_px: Median of the shorter side.
    """

    num_images: int
    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    median_short_px: int


@dataclass(frozen=True)
class Glance:
    """What a sample of the images shows.

    Attributes:
        num_images: Number of sampled images.
        sizes: The sizes of the readable ones; None if there is none.
        unreadable: Why an image cannot be read, by name.
    """

    num_images: int
    sizes: ImageSizes | None
    unreadable: dict[str, str]


def typical_side_px(data: DataConfig) -> int | None:
    """Return the median of the shorter sides of some training images, in pixels.

    Returns:
        None for sets other than folders, or if no image can be read.

    Raises:
        DataError: The folder contains no class folders.
    """
    if data.name in _SIDES_PX:
        return data.image_size_px or _SIDES_PX[data.name]
    if data.image_size_px is not None:
        return data.image_size_px
    if data.name != "folder" or data.root is None:
        return None
    layout = find_layout(data.root, IMAGES)
    root = layout.splits.get("train", data.root)
    names = list_images(root).names
    sizes = measure_sizes(root, names, _NUM_AT_A_GLANCE)
    return None if sizes is None else sizes.median_short_px


def measure_sizes(root: Path, names: Sequence[str], num: int = _NUM_SIZED) -> ImageSizes | None:
    """Read the sizes of about `num` evenly spaced images; damaged ones are skipped."""
    return look_at_images(root, names, num, max_decoded_pixels=0).sizes


def look_at_images(
    root: Path,
    names: Sequence[str],
    num: int = _NUM_SIZED,
    *,
    max_decoded_pixels: int = _MAX_DECODED_PIXELS,
) -> Glance:
    """Read about `num` evenly spaced images: the headers of all, and the pixels of some.

    Args:
        root: The folder of the images.
        names: Their names.
        num: About how many are read.
        max_decoded_pixels: Pixels that are decoded in total; further images are not.
    """
    sizes, unreadable = [], {}
    chosen = spread_over(len(names), num)
    for index in chosen:
        try:
            photo = Photo(read_file(root / names[index]))
            num_pixels = photo.size[0] * photo.size[1]
            if num_pixels <= max_decoded_pixels:
                max_decoded_pixels -= num_pixels
                photo.load()
            sizes.append(photo.size)
        except DataError as error:
            unreadable[names[index]] = str(error)
    return Glance(len(chosen), _sizes_of(sizes), unreadable)


def _sizes_of(sizes: Sequence[tuple[int, int]]) -> ImageSizes | None:
    if not sizes:
        return None
    by_area = sorted(sizes, key=lambda size: size[0] * size[1])
    return ImageSizes(
        num_images=len(sizes),
        smallest=by_area[0],
        median=(_median(size[0] for size in sizes), _median(size[1] for size in sizes)),
        largest=by_area[-1],
        median_short_px=median_short_px(sizes),
    )


def spread_over(num_images: int, num: int = _NUM_SIZED) -> range:
    """Return about `num` evenly spaced numbers of images."""
    return range(0, num_images, max(1, num_images // num))


def median_short_px(sizes: Iterable[Sequence[int]]) -> int:
    """Return the median of the shorter sides."""
    return _median(min(size) for size in sizes)


def _median(values: Iterable[int]) -> int:
    return round(statistics.median(values))
