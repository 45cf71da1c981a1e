"""Real images for comparing an export with PyTorch, and for calibration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.prepare.geometry import pixels_of
from resnext.data.random import subset_order
from resnext.data.sets.choose_split import splits_of
from resnext.data.sets.load import load_data
from resnext.data.split import ImageReader
from resnext.errors import DataError
from resnext.evaluation.target import fit_images
from resnext.inference.preprocessor import Preprocessor
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import ExportSpec

_SEED = 0
_TOGETHER = 16  # crops per batch
_MAX_BATCH_PIXELS = 2**24  # 16 crops of 1,024 pixels; of larger ones fewer are held
_MAX_WHOLE_PX = 512


@dataclass(frozen=True)
class ImageSource:
    """Decoded images, before any resizing.

    Attributes:
        name: The images, in words.
        images: The images; they can be iterated again. Files are decoded each time, one by one,
            since a few hundred photos fill the memory.
    """

    name: str
    images: Iterable[Image.Image]


def data_images(data: DataConfig, split: str, network: TrainedNetwork, num: int) -> ImageSource:
    """Take images evenly from a data set; files that cannot be read are skipped.

    Args:
        data: The data set.
        split: `train` or `val`.
        network: The network, which takes images.
        num: Maximum number of images.

    Raises:
        ConfigError: The set holds signals, or images in memory with other channels.
        DataError: No image can be read.
    """
    loaded = load_data(data)
    if not len(loaded.train):
        split = "val"  # a folder without splits
    chosen = loaded.train if split == "train" else loaded.val
    fit_images(loaded.info, chosen, network)  # refuses other channels
    reader = chosen.reader(network.config.in_channels)
    images = _Readable(reader, subset_order(len(chosen)).tolist(), num)
    if not any(True for _ in images):
        raise DataError(f"{loaded.info.name}: no image of the {split} split can be read")
    is_whole = len(chosen) == sum(map(len, splits_of(loaded).values()))
    return ImageSource(f"{loaded.info.name}, {name_of_part(split, is_whole, 'images')}", images)


def name_of_part(split: str, is_whole: bool, nouns: str) -> str:
    """Name a split, or all images or signals of a set without splits."""
    return f"all {nouns}" if is_whole else f"{split} split"


def sample_photos(in_channels: int, num: int) -> ImageSource:
    """Cut random windows from the two photos in scikit-learn."""
    from sklearn.datasets import load_sample_images

    draw = np.random.default_rng(_SEED)
    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    images = []
    for number in range(num):
        photo = photos[number % len(photos)].convert("L" if in_channels == 1 else "RGB")
        width, height = draw.integers(64, photo.width + 1), draw.integers(64, photo.height + 1)
        left = draw.integers(0, photo.width - width + 1)
        top = draw.integers(0, photo.height - height + 1)
        box = (int(left), int(top), int(left + width), int(top + height))
        images.append(photo.crop(box))
    return ImageSource("windows of scikit-learn's two photos", images)


def noise(loaded: TrainedNetwork, size_px: int, num: int) -> torch.Tensor:
    """Generate uint8 noise, b x ... x c, for networks that do not take images."""
    config = loaded.config
    shape = (num, *(size_px,) * getattr(config, "ndim", 2), config.in_channels)
    generator = torch.Generator().manual_seed(_SEED)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def as_batches(
    source: ImageSource, loaded: TrainedNetwork, spec: ExportSpec
) -> Iterator[torch.Tensor]:
    """Prepare images as input for a graph: uint8 b x h x w x c.

    Crops are batched; graphs that resize and crop get images one by one, at their own size.

    Args:
        source: The images.
        loaded: The network; its card has the preprocessing.
        spec: The input of the graph.

    Yields:
        Batches; no more than two decoded images are held at a time.
    """
    preprocessor = Preprocessor.of(loaded.config, loaded.card, spec)
    fitting = max(1, min(_TOGETHER, _MAX_BATCH_PIXELS // spec.size_px**2))
    together = 1 if preprocessor.is_whole else fitting
    prepared = (torch.from_numpy(preprocessor.pixels(image)) for image in source.images)
    while batch := list(islice(prepared, together)):
        yield torch.stack(batch)


def as_whole(source: ImageSource, spec: ExportSpec) -> Iterator[torch.Tensor]:
    """Prepare images for a network for pixels or objects: uint8 1 x h x w x c, at their own size.

    Args:
        source: The images; large ones are cropped to their centre.
        spec: The input of the graph; a fixed size is cropped or padded with black.
    """
    for image in source.images:
        width, height = (min(side, _MAX_WHOLE_PX) for side in image.size)
        if not spec.dynamic_size:
            width = height = spec.size_px
        left, top = (image.width - width) // 2, (image.height - height) // 2
        middle = image.crop((left, top, left + width, top + height))
        yield torch.from_numpy(pixels_of(middle)).unsqueeze(0)


@dataclass(frozen=True)
class _Readable:
    """The first readable images of a sequence.

    Attributes:
        images: Opens an image by its number.
        order: The numbers.
        num: Maximum number of images.
    """

    images: ImageReader
    order: list[int]
    num: int

    def __iter__(self) -> Iterator[Image.Image]:
        return islice(self._open_all(), self.num)

    def _open_all(self) -> Iterator[Image.Image]:
        for index in self.order:
            try:
                yield self.images.open(index)
            except DataError:
                continue
