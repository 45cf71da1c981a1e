"""What `resnext train` sees of a person's images before it chooses a recipe for them."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.sets.glance import measure_sizes
from resnext.data.sets.load import load_data
from resnext.recipes.photos import PhotoFacts


def look(data: DataConfig, *, has_gpu: bool) -> PhotoFacts | None:
    """Look at the images of a folder, a table or a folder with masks; None for other sets.

    Raises:
        DataError: The set is missing, or nothing can be trained on it.
    """
    if data.name not in ("folder", "table", "masks"):
        return None
    train = load_data(data).train.files
    if train is None or not len(train):
        return None
    sizes = measure_sizes(train.root, train.names)
    short_side_px = None if sizes is None else sizes.median_short_px
    return PhotoFacts(len(train), short_side_px, has_gpu)
