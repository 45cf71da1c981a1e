"""A data set in memory or on disk: its splits, its classes and its statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from resnext.data.names import PackedNames
from resnext.data.shards.split import ShardSplit


@dataclass(frozen=True)
class ArraySplit:
    """Images held in memory.

    Attributes:
        images_nhwc: All images, uint8.
        labels_n: Class indices, int64.
    """

    images_nhwc: torch.Tensor
    labels_n: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels_n)

    def choose(self, indices_n: torch.Tensor) -> ArraySplit:
        """Return the split of some images."""
        return ArraySplit(self.images_nhwc[indices_n], self.labels_n[indices_n])


@dataclass(frozen=True)
class FileSplit:
    """Images in files.

    Attributes:
        root: The folder under which the names lie.
        names: Path of each file below the root, in sorted order.
        labels_n: Class indices, int64.
    """

    root: Path
    names: Sequence[str]
    labels_n: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels_n)

    def choose(self, indices_n: torch.Tensor) -> FileSplit:
        """Return the split of some images."""
        names: Sequence[str]
        if isinstance(self.names, PackedNames):
            names = self.names.choose(indices_n.numpy())
        else:
            names = tuple(self.names[index] for index in indices_n.tolist())
        return FileSplit(self.root, names, self.labels_n[indices_n])


Split = ArraySplit | FileSplit | ShardSplit


@dataclass(frozen=True)
class DataInfo:
    """What a network must know about a data set.

    Attributes:
        name: Name of the set.
        classes: Class names, in the order of the labels.
        in_channels: Channels of an image.
        image_size_px: Side of the crop that the network sees.
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
        exact: Whether training images are to have Pillow's pixels, bit for bit.
    """

    name: str
    classes: tuple[str, ...]
    in_channels: int
    image_size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    exact: bool = False


@dataclass(frozen=True)
class DataSet:
    """The splits of one set of classes.

    Attributes:
        info: What they have in common.
        train: Images to train on.
        val: Images that choose the best epoch.
        test: Images that training never sees; None where the set has none.
        origin: Where the splits come from, in words.
    """

    info: DataInfo
    train: Split
    val: Split
    test: Split | None = None
    origin: str = "the set's own"
