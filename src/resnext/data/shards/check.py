"""Verifies a packed data set and lists damage."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from resnext.data.mask_rule import MaskRule
from resnext.data.shards.encode import read_header
from resnext.data.shards.layout import (
    ShardRecord,
    SplitIndex,
    read_index,
    rows_path,
    shard_name,
)
from resnext.data.shards.mask_table import MaskTable, PackedMask, rule_of
from resnext.data.shards.processes import spread
from resnext.data.shards.table import ShardTable
from resnext.data.shards.write import read_shard
from resnext.download import sha256_of
from resnext.errors import DataError


@dataclass(frozen=True)
class Damage:
    """A damaged part of a packed set.

    Attributes:
        file: Name of the file in the packed folder.
        reason: The problem.
        sample: Name of the image in the source, if an image is damaged.
    """

    file: str
    reason: str
    sample: str | None = None


@dataclass(frozen=True)
class Checked:
    """Result of a check: what was checked, and what is damaged."""

    num_shards: int
    num_samples: int
    damage: tuple[Damage, ...]


def check(root: Path, workers: int, progress: Callable[[int], None] | None = None) -> Checked:
    """Verify every hash, count and image header of a packed set.

    Args:
        root: Folder of the set.
        workers: Processes.
        progress: Called with the number of further images.

    Raises:
        DataError: The index cannot be read, or a process died.
    """
    index = read_index(root)
    damage: list[Damage] = []
    for split, listed in index.splits.items():
        rule = None if index.masks is None else rule_of(index)
        found = _check_tables(root, split, listed, len(index.classes), rule)
        damage += found
        if found:
            continue  # without its table nothing is known of the samples
        work = partial(_check_shard, root=root, split=split, rule=rule)
        results = spread(work, enumerate(listed.shards), workers)
        for num_samples, part in results:
            damage += part
            if progress is not None:
                progress(num_samples)
    return Checked(
        num_shards=sum(len(listed.shards) for listed in index.splits.values()),
        num_samples=sum(listed.num_samples for listed in index.splits.values()),
        damage=tuple(sorted(damage, key=lambda one: (one.file, one.sample or ""))),
    )


def _check_tables(
    root: Path, split: str, listed: SplitIndex, num_classes: int, rule: MaskRule | None
) -> list[Damage]:
    damage = []
    for path, sha256 in listed.tables(root, split).items():
        if not path.is_file():
            damage.append(Damage(path.name, "is missing"))
        elif sha256_of(path) != sha256:
            damage.append(Damage(path.name, "its SHA-256 differs from the index"))
    if not damage:
        try:
            table = ShardTable(root, split)
            table.check(listed, num_classes)
            if rule is not None:
                MaskTable(root, split, rule).check(listed, table.column("shard"))
        except DataError as error:
            damage.append(Damage(rows_path(root, split).name, str(error)))
    return damage


def _check_shard(
    task: tuple[int, ShardRecord], *, root: Path, split: str, rule: MaskRule | None
) -> tuple[int, list[Damage]]:
    """Check a shard against its hash, and its samples against the tables."""
    number, record = task
    if not (root / record.name).is_file():
        return record.num_samples, [Damage(record.name, "is missing")]
    table = ShardTable(root, split)
    masks = None if rule is None else MaskTable(root, split, rule)
    rows_n = np.flatnonzero(table.column("shard") == number)
    damage = _check_samples(root / shard_name(split, number), table, masks, rows_n.tolist())
    shard = read_shard(record, number, root, rule)
    if shard is None:
        if not damage:
            damage.append(Damage(record.name, "is damaged, but not within a sample"))
    elif not damage:
        columns = ["offset", "size", "label", "crc32"]
        in_order = np.argsort(shard.numbers_n)
        is_same = np.array_equal(shard.rows_n[in_order][columns], table[rows_n][columns])
        if masks is not None and shard.masks_n is not None:
            is_same = is_same and np.array_equal(shard.masks_n[in_order], masks[rows_n])
        if not is_same:
            damage.append(Damage(record.name, "contains other samples than the table lists"))
    return record.num_samples, damage


def _check_samples(
    path: Path, table: ShardTable, masks: MaskTable | None, rows: list[int]
) -> list[Damage]:
    damage = []
    with path.open("rb") as file:
        for index in rows:
            name = table.name(index)
            reason = _reason(file, table[index], read_header)
            if reason is None and masks is not None:
                reason = _reason(file, masks[index], partial(_check_mask, masks.rule, name))
            if reason is not None:
                damage.append(Damage(path.name, reason, name))
    return damage


def _reason(file: BinaryIO, row: Any, decode: Callable[[bytes], object]) -> str | None:
    """Return what is wrong with the bytes that a row points to."""
    file.seek(int(row["offset"]))
    content = file.read(int(row["size"]))
    if len(content) < int(row["size"]):
        return "the shard ends within this sample"
    if zlib.crc32(content) != int(row["crc32"]):
        return "its bytes have changed since packing"
    try:
        decode(content)
    except DataError as error:
        return str(error)
    return None


def _check_mask(rule: MaskRule, name: str, content: bytes) -> None:
    PackedMask.of(content, rule, f"of {name}")
