"""Collects facts about images for choosing a recipe."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS
from resnext.data.sets.glance import measure_sizes
from resnext.data.sets.load import load_data
from resnext.data.split import DataSet
from resnext.recipes.photos import PhotoFacts


def look(data: DataConfig, given: DataSet | None = None, *, has_gpu: bool) -> PhotoFacts | None:
    """Inspect image files, or images from a program; None for other data sets.

    Args:
        data: The set.
        given: Its images, if they come from a Python program.
        has_gpu: Whether training uses a GPU.

    Raises:
        DataError: The data set is missing, or cannot be used for training.
    """
    if given is not None:
        given = load_data(data, given)
        return PhotoFacts(len(given.train), given.info.image_size_px, has_gpu)
    if data.name not in ("folder", "table", "masks", *BOX_SETS):
        return None
    train = load_data(data).train.files
    if train is None or not len(train):
        return None
    sizes = measure_sizes(train.root, train.names)
    short_side_px = None if sizes is None else sizes.median_short_px
    return PhotoFacts(len(train), short_side_px, has_gpu)
