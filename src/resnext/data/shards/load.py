"""Opens a packed data set for training and evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from resnext.data.shards.layout import SPLITS, Index, read_index
from resnext.data.shards.mask_table import MaskTable, rule_of
from resnext.data.shards.remote import DEFAULT_CACHE_GIB, GIB, Remote, open_remote
from resnext.data.shards.split import ShardSplit
from resnext.data.shards.table import ShardTable
from resnext.data.split import DataInfo, DataSet
from resnext.download import Checksum, matches
from resnext.errors import ConfigError, DataError


def load_shards(root: Path, shuffle_gib: float | None = None) -> DataSet:
    """Open a packed data set without loading its images.

    Every shard must exist with its full length; its content is checked when an image is read, and
    by `resnext pack --check`. The tables are checked immediately.

    Args:
        root: The folder that `resnext pack` wrote.
        shuffle_gib: Shuffle the images of about this size of shards together; by default of all.

    Raises:
        DataError: It is not a packed set, or a file is missing or damaged.
    """
    index = read_index(root)
    for split, listed in index.splits.items():
        for path, sha256 in listed.tables(root, split).items():
            _check_table(path, sha256)
        for shard in listed.shards:
            _check_size(root / shard.name, shard.size_bytes)
    mixed = None if shuffle_gib is None else _num_mixed(index, shuffle_gib)
    return _open(root, root, index, mixed, None)


def load_remote_shards(
    address: str, cache_gib: float | None = None, shuffle_gib: float | None = None
) -> DataSet:
    """Open a packed data set at an address; shards are fetched on demand.

    Args:
        address: Of the folder that `resnext pack` wrote.
        cache_gib: Maximum size of the fetched shards on disk; by default 20.
        shuffle_gib: Shuffle the images of about this size of shards together; by default of all if
            they fit in the cache, otherwise of half the cache.

    Raises:
        DataError: There is no packed set, or its files do not belong together.
        DownloadError: The index or a table cannot be downloaded.
        ConfigError: The cache is too small for the shards to shuffle.
    """
    cache_gib = DEFAULT_CACHE_GIB if cache_gib is None else cache_gib
    remote, index = open_remote(address, cache_gib)
    mixed = None if shuffle_gib is None else _num_mixed(index, shuffle_gib)
    if not remote.is_cached_whole:
        if mixed is None:
            mixed = max(1, remote.num_cached // 2)
        if mixed > max(1, remote.num_cached - 1):
            raise ConfigError(
                f"data.shuffle_gib={shuffle_gib:g} does not fit in data.cache_gib={cache_gib:g}, "
                "and the set is larger than the cache, so every image would fetch a shard. Set "
                "shuffle_gib to at most half of cache_gib"
            )
    return _open(remote.folder, address, index, mixed, remote)


def _num_mixed(index: Index, shuffle_gib: float) -> int:
    """Return the number of shards that fit in a size."""
    shards = [shard.size_bytes for split in index.splits.values() for shard in split.shards]
    return max(1, int(shuffle_gib * GIB / max(shards)))


def _check_table(path: Path, sha256: str) -> None:
    if path.is_file() and not matches(path, Checksum("sha256", sha256)):
        raise DataError(
            f"{path} is damaged: its SHA-256 differs from the index. Copy it again, or restore it "
            "with the resnext pack command that wrote it"
        )


def _check_size(path: Path, size_bytes: int) -> None:
    size = path.stat().st_size if path.is_file() else None
    if size != size_bytes:
        found = "is missing" if size is None else f"has {size} bytes"
        raise DataError(
            f"{path} {found}, but should have {size_bytes} bytes according to the index. Copy it "
            "again, or restore it with the resnext pack command that wrote it"
        )


def _open(
    folder: Path, shown: Path | str, index: Index, mixed: int | None, remote: Remote | None
) -> DataSet:
    train, val = (
        replace(_open_split(folder, shown, index, split), remote=remote) for split in SPLITS
    )
    info = DataInfo(
        name=index.name,
        classes=index.classes,
        in_channels=index.in_channels,
        image_size_px=index.image_size_px,
        mean=index.mean,
        std=index.std,
        targets="class" if index.masks is None else "mask",
    )
    return DataSet(info, replace(train, mixed=mixed), val)


def _open_split(folder: Path, shown: Path | str, index: Index, split: str) -> ShardSplit:
    listed = {str(name): part for name, part in index.splits.items()}.get(split)
    if listed is None:
        raise DataError(f"{shown} has no {split} split; pack the set again")
    table = ShardTable(folder, split)
    table.check(listed, len(index.classes))
    if index.masks is None:
        return ShardSplit(table, torch.from_numpy(table.column("label")))
    masks = MaskTable(folder, split, rule_of(index))
    masks.check(listed, table.column("shard"))
    return ShardSplit(table, torch.from_numpy(masks.counts_nk), masks=masks)
