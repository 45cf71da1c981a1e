"""Opening a packed data set for training and evaluation."""

from __future__ import annotations

from pathlib import Path

import torch

from resnext.data.shards.layout import SPLITS, Index, read_index
from resnext.data.shards.split import ShardSplit
from resnext.data.shards.table import ShardTable
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError


def load_shards(root: Path) -> DataSet:
    """Open a packed data set; its images stay where they are.

    Every shard must be there in its full length; what it holds is checked when an image
    is read, and by `resnext pack --check`.

    Args:
        root: The folder that `resnext pack` wrote.

    Raises:
        DataError: It holds no packed set, or a file of it is missing or damaged.
    """
    index = read_index(root)
    train, val = (_open(root, index, split) for split in SPLITS)
    info = DataInfo(
        name=index.name,
        classes=index.classes,
        in_channels=index.in_channels,
        image_size_px=index.image_size_px,
        mean=index.mean,
        std=index.std,
    )
    return DataSet(info, train, val)


def _open(root: Path, index: Index, split: str) -> ShardSplit:
    if split not in index.splits:
        raise DataError(f"{root} has no {split} split; pack the set again")
    listed = index.splits[split]
    for shard in listed.shards:
        path = root / shard.name
        size = path.stat().st_size if path.exists() else None
        if size != shard.size_bytes:
            found = "is missing" if size is None else f"has {size} bytes"
            raise DataError(
                f"{path} {found}; the index says {shard.size_bytes} bytes. Copy it again, or "
                "restore it with the resnext pack command that wrote it"
            )
    table = ShardTable(root, split)
    if len(table) != listed.num_samples:
        raise DataError(
            f"the table of {split} in {root} has {len(table)} rows, the index says "
            f"{listed.num_samples}; run resnext pack again to restore it"
        )
    return ShardSplit(table, torch.from_numpy(table.column("label")))
