"""Datasets of a Python program: the digits, as torch's own kinds of them hold them."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image
from torch.utils.data import Dataset

from resnext.data.array_split import ArraySplit
from resnext.data.sets.digits import load_digits_set

CLASSES = tuple(str(digit) for digit in range(10))


class Pictures(Dataset[tuple[Image.Image, int]]):
    """A map-style dataset that lists no labels, as most people write one."""

    def __init__(self, images_nhw: torch.Tensor, labels_n: torch.Tensor) -> None:
        self.images_nhw, self.labels_n = images_nhw, labels_n
        self.num_read = 0

    def __len__(self) -> int:
        return len(self.labels_n)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        self.num_read += 1
        return Image.fromarray(self.images_nhw[index].numpy()), int(self.labels_n[index])


def digit_pictures(split: str = "train", num: int | None = None) -> Pictures:
    """Return the digits of a split, or the first of them."""
    found: Any = getattr(load_digits_set(), split)
    assert isinstance(found, ArraySplit)
    return Pictures(found.images_nhwc[:num, :, :, 0], found.targets_n[:num])
