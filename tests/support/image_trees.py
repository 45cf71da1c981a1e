"""Small folders of images for the tests of the loaders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from resnext.data.array_split import ArraySplit
from resnext.data.file_split import FileSplit
from resnext.data.split import DataInfo

CPU = torch.device("cpu")


def write_images(root: Path, num: int, bad: tuple[int, ...] = ()) -> FileSplit:
    """Write images of several shapes, some of them torn, in two classes."""
    generator = np.random.default_rng(0)
    names = []
    for number in range(num):
        label = "ab"[number % 2]
        name = f"{label}/{number:04}.png"
        (root / label).mkdir(parents=True, exist_ok=True)
        shape = (20 + number % 5, 24 - number % 3, 3)
        Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8)).save(root / name)
        if number in bad:
            (root / name).write_bytes((root / name).read_bytes()[:60])
        names.append(name)
    return FileSplit(root, tuple(names), torch.arange(num) % 2)


def write_grey(root: Path, num: int, *folders: str, step: int = 20, first: int = 0) -> Path:
    """Write images of one grey each, 9 x 9 pixels, the same into each folder below a root.

    Args:
        root: Where the folders are made.
        num: Images in each folder, `0.png`, `1.png` and so on.
        folders: Such as `train/a`.
        step: What is added to the grey from image to image.
        first: The grey of the first image.
    """
    for name in folders:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(num):
            Image.new("L", (9, 9), first + step * number).save(root / name / f"{number}.png")
    return root


def file_info(size_px: int = 16) -> DataInfo:
    return DataInfo("test", ("a", "b"), 3, size_px, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def make_arrays(num: int, side: int = 12, channels: int = 3) -> tuple[ArraySplit, DataInfo]:
    """Make random images in memory; the label of each is its number."""
    generator = torch.Generator().manual_seed(num)
    shape = (num, side, side, channels)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    classes = tuple(str(number) for number in range(num))
    info = DataInfo("test", classes, channels, side, (0.5,) * channels, (0.25,) * channels)
    return ArraySplit(images, torch.arange(num)), info
