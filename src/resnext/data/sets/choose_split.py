"""One of a data set's splits by its name, or all of them as one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from resnext.data.names import PackedNames
from resnext.data.split import ArraySplit, DataSet, FileSplit, Split
from resnext.errors import ConfigError, DataError

SplitChoice = Literal["val", "test", "train", "all"]


def choose_split(data: DataSet, name: SplitChoice) -> Split:
    """Return a split.

    Args:
        data: The data set.
        name: Which; `all` puts them one behind the other.

    Raises:
        DataError: The set has no such split.
        ConfigError: Splits of a packed set cannot be put together.
    """
    if name == "all":
        return _together([split for split in splits_of(data).values() if len(split)])
    split = splits_of(data).get(name)
    if split is None:
        raise DataError(
            f"{data.info.name} has no {name} split; it has {', '.join(splits_of(data))}"
        )
    return split


def splits_of(data: DataSet) -> dict[str, Split]:
    """Return the splits that a data set has, by name."""
    splits: dict[str, Split | None] = {"train": data.train, "val": data.val, "test": data.test}
    return {name: split for name, split in splits.items() if split is not None}


def _together(splits: Sequence[Split]) -> Split:
    if len(splits) == 1:
        return splits[0]
    labels_n = torch.cat([split.labels_n for split in splits])
    arrays = [split for split in splits if isinstance(split, ArraySplit)]
    if len(arrays) == len(splits):
        return ArraySplit(torch.cat([split.images_nhwc for split in arrays]), labels_n)
    files = [split for split in splits if isinstance(split, FileSplit)]
    if len(files) < len(splits):
        raise ConfigError("--split all: the splits of a packed set are evaluated one by one")
    root = Path(os.path.commonpath([split.root for split in files]))
    prefixes = [split.root.relative_to(root).as_posix() for split in files]
    names = PackedNames(
        f"{prefix}/{name}" if prefix != "." else name
        for prefix, split in zip(prefixes, files, strict=True)
        for name in split.names
    )
    return FileSplit(root, names, labels_n)
