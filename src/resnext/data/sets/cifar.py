"""CIFAR-10 and CIFAR-100 from their official archives, or downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from resnext.data.array_split import ArraySplit
from resnext.data.sets.download import fetch_official, find_or_fetch
from resnext.data.split import DataInfo, DataSet

_ARCHIVES = {"CIFAR10": "cifar-10-python.tar.gz", "CIFAR100": "cifar-100-python.tar.gz"}
# Statistics of the training images, in grey levels, from the released Torch code
# (datasets/cifar10.lua and cifar100.lua of fb.resnet.torch).
_MEAN = {"CIFAR10": (125.3, 123.0, 113.9), "CIFAR100": (129.3, 124.1, 112.4)}
_STD = {"CIFAR10": (63.0, 62.1, 66.7), "CIFAR100": (68.2, 65.4, 70.4)}


def load_cifar(num_classes: int, root: Path) -> DataSet:
    """Load the 50,000 training and 10,000 test images of 32 x 32 RGB pixels.

    Args:
        num_classes: 10 or 100.
        root: A folder with the official archive (`cifar-10-python.tar.gz` or
            `cifar-100-python.tar.gz`) or its unpacked folder. If both are missing the archive is
            downloaded to it.

    Raises:
        DataError: The archive is missing and cannot be downloaded, or is damaged.

    Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    name = f"CIFAR{num_classes}"
    train, test = find_or_fetch(
        name, root, [_ARCHIVES[name]], lambda: _find(name, root), lambda: _fetch(name, root)
    )
    info = DataInfo(
        name=name.lower(),
        classes=tuple(train.classes),
        in_channels=3,
        image_size_px=32,
        mean=tuple(round(value / 255, 4) for value in _MEAN[name]),
        std=tuple(round(value / 255, 4) for value in _STD[name]),
    )
    return DataSet(info, _to_split(train), _to_split(test))


def _find(name: str, root: Path) -> tuple[Any, Any] | None:
    """Open torchvision's training and test set, which check the MD5 sums of their files."""
    from torchvision import datasets  # slow to import

    kind = getattr(datasets, name)
    try:
        return kind(root, train=True), kind(root, train=False)
    except RuntimeError:  # a file is missing, torn or another
        return None


def _fetch(name: str, root: Path) -> None:
    """Download the archive if missing, and unpack it with torchvision, which verifies it."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    fetch_official(kind.url, root / kind.filename, kind.tgz_md5)
    kind(root, download=True)


def _to_split(part: Any) -> ArraySplit:
    labels = np.asarray(part.targets, dtype=np.int64)
    return ArraySplit(torch.from_numpy(np.ascontiguousarray(part.data)), torch.from_numpy(labels))
