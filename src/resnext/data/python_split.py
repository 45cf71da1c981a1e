"""A split whose images are the items of a dataset of a Python program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
import torch
from PIL import Image
from torch.utils.data import ConcatDataset

from resnext.data.decode.image import Photo
from resnext.data.decode.python_image import to_photo
from resnext.data.split import ImageReader, Split
from resnext.errors import ConfigError, DataError


class MapDataset(Protocol):
    """A map-style dataset, such as torch's: a number gives an image and its label."""

    def __len__(self) -> int:
        """Count the items."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """Return an image and its label."""
        ...


@dataclass(frozen=True)
class PythonSplit(Split):
    """Items of a dataset.

    Attributes:
        dataset: Gives pairs of an image and a label.
        labels_n: The label of each item of the dataset, by which it is known to be the same.
        targets_n: What is learned of the images of this split.
        rows_n: The items that belong to it, int64.
    """

    dataset: MapDataset
    labels_n: torch.Tensor
    targets_n: torch.Tensor
    rows_n: torch.Tensor

    def name(self, index: int) -> str:
        """Return an item's number in words."""
        return f"item {int(self.rows_n[index])}"

    def reader(self, in_channels: int) -> ImageReader:
        """Return what opens the images."""
        return _PythonReader(self, in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some images."""
        return replace(self, targets_n=self.targets_n[indices_n], rows_n=self.rows_n[indices_n])

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits behind this one."""
        splits = [self, *others]
        starts = np.cumsum([0, *(len(split.dataset) for split in splits)]).tolist()
        shifted = [split.rows_n + start for split, start in zip(splits, starts, strict=False)]
        datasets: list[Any] = [split.dataset for split in splits]
        return replace(
            self,
            dataset=ConcatDataset(datasets),
            labels_n=torch.cat([split.labels_n for split in splits]),
            targets_n=torch.cat([split.targets_n for split in splits]),
            rows_n=torch.cat(shifted),
        )


class _PythonReader(ImageReader):
    def __init__(self, split: PythonSplit, in_channels: int) -> None:
        self._split, self._in_channels = split, in_channels

    def name_of(self, index: int) -> str:
        return f"{self._split.name(index)} of the dataset"

    def photo(self, index: int) -> Photo | Image.Image:
        row = int(self._split.rows_n[index])
        try:
            image, label = item_of(self._split.dataset, row)
        except OSError as error:  # also Pillow's of a damaged image
            raise DataError(str(error) or type(error).__name__) from error
        known = self._split.labels_n[row]
        if not torch.equal(label_of(label, row), known):
            raise ConfigError(
                f"item {row} of the dataset came with the label {known.tolist()} before, and with "
                f"{label!r} now; return the same label for an item each time"
            )
        return to_photo(image, self._in_channels)


def item_of(dataset: MapDataset, row: int) -> tuple[object, object]:
    """Return an image and its label.

    Raises:
        ConfigError: The dataset returns something else.
    """
    item = dataset[row]
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise ConfigError(
            f"item {row} of the dataset is a {type(item).__name__}: give a dataset whose items are "
            "pairs of an image and a label"
        )
    return item[0], item[1]


def label_of(label: object, row: int) -> torch.Tensor:
    """Return a label as a tensor: int64 without dimensions, or int8, k, for several labels.

    Raises:
        ConfigError: It is neither a whole number nor a row of 1 (applies), 0 and -1 (unknown).
    """
    try:
        values = torch.as_tensor(label)
    except (TypeError, ValueError, RuntimeError):
        values = torch.empty(0)
    is_whole = not values.is_floating_point() and values.dtype != torch.bool
    if values.ndim == 0 and is_whole:
        return values.to(torch.int64)
    if values.ndim == 1 and len(values) and bool(((values.abs() == 1) | (values == 0)).all()):
        return values.to(torch.int8)
    raise ConfigError(
        f"item {row} of the dataset has the label {str(label)[:60]!r}: give the number of a class, "
        "0, 1, 2, ..., or for several labels a row of 1 where one applies and 0 where not"
    )
