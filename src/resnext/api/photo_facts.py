"""Collects facts about images for choosing a recipe."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS
from resnext.data.sets.glance import measure_sizes, median_short_px, spread_over
from resnext.data.sets.load import load_data
from resnext.data.sets.masks.target import has_mask_targets
from resnext.data.split import DataSet
from resnext.recipes.photos import PhotoFacts


def look(data: DataConfig, given: DataSet | None = None, *, has_gpu: bool) -> PhotoFacts | None:
    """Inspect image files, packed masks or images from a program; None for other data sets.

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
    if has_mask_targets(data) and data.name == "shards":
        shapes_n2 = load_data(data).train.shapes_n2
        assert shapes_n2 is not None  # splits of masks know them
        sizes = shapes_n2[list(spread_over(len(shapes_n2)))].tolist()
        return PhotoFacts(len(shapes_n2), median_short_px(sizes), has_gpu)
    if data.name not in ("folder", "table", "masks", *BOX_SETS):
        return None
    train = load_data(data).train.files
    if train is None or not len(train):
        return None
    found = measure_sizes(train.root, train.names)
    short_side_px = None if found is None else found.median_short_px
    return PhotoFacts(len(train), short_side_px, has_gpu)
