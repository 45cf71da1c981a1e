"""The memory-mapped table with the position of each sample of a packed split.

A row has `BYTES_PER_ROW` bytes, and all processes share the pages of the file, so 14 million
samples take 427 MiB of page cache for any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.data.mapped import map_array, read_block, write_array
from resnext.data.name_check import MAX_NAME_BYTES, check_names
from resnext.data.names import PackedNames
from resnext.data.shards.layout import MAX_SAMPLE_BYTES, SplitIndex, names_path, rows_path
from resnext.data.shards.mask_table import mask_row
from resnext.errors import DataError

ROW = np.dtype(
    [
        ("offset", "<i8"),  # of the image's first byte in its shard
        ("name_end", "<i8"),  # the name ends here in the file of names, the next one begins
        ("shard", "<u4"),
        ("label", "<u4"),
        ("size", "<u4"),  # of the image in bytes
        ("crc32", "<u4"),  # of the image: a flipped bit in a JPEG often decodes to something
    ]
)
BYTES_PER_ROW = ROW.itemsize
_ROWS_PER_BLOCK = 1 << 16
_MAX_HEADER_BYTES = 4096  # of an npy file; ours has 256


class ShardTable(Sequence[Any]):
    """The rows of a split, in the order of the source's files."""

    def __init__(self, root: Path, split: str) -> None:
        """Map the table; use `check` to validate its rows.

        Raises:
            DataError: A file of it is missing or damaged.
        """
        self.root, self.split = root, split
        self._rows = _map(rows_path(root, split), ROW)
        self._names = _map(names_path(root, split), np.dtype("u1"))
        if len(self._rows) and int(self._rows[-1]["name_end"]) != len(self._names):
            raise DataError(
                f"{names_path(root, split)} does not belong to {rows_path(root, split)}; run: "
                f"resnext pack --check {root}"
            )

    def __reduce__(self) -> tuple[type[ShardTable], tuple[Path, str]]:
        """Pickle by name, not by content."""
        return ShardTable, (self.root, self.split)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a copy of one column."""
        return self._rows[name].astype(np.int64)

    def check(self, listed: SplitIndex, num_classes: int) -> None:
        """Compare every row with the index.

        Args:
            listed: The split's entry in the index.
            num_classes: Classes of the set.

        Raises:
            DataError: A row points outside its shard or to a missing class, the number of rows
                differs from the index, or a name is not a path below a folder.
        """
        try:
            _check_rows(self._rows, listed, num_classes)
            check_names(self._names, self._rows, "name_end")
        except ValueError as error:
            raise DataError(
                f"the table of {self.split} in {self.root} does not fit its index: {error}; run "
                "resnext pack again to restore it"
            ) from None

    def name(self, index: int) -> str:
        """Return the relative path of a sample's file in the source."""
        start = int(self._rows[index - 1]["name_end"]) if index else 0
        encoded = self._names[start : int(self._rows[index]["name_end"])].tobytes()
        return encoded.decode("utf-8", "surrogateescape")


def write_table(root: Path, split: str, rows: NDArray[Any], names: Iterable[str]) -> None:
    """Write the table of a split; its `name_end` column is filled in here.

    Args:
        root: Folder of the packed set.
        split: Name of the split.
        rows: Array of `ROW`, in the order of the source's files.
        names: The samples' names, in the same order.
    """
    packed = PackedNames(names)
    rows["name_end"], joined = packed.ends_n, packed.text
    for path, values in ((rows_path(root, split), rows), (names_path(root, split), joined)):
        write_array(path, values, path.with_name(f"{path.name}.partial"))


def max_table_bytes(num_samples: int, num_mask_classes: int = 0) -> tuple[int, ...]:
    """Return the maximum sizes of a split's files: rows, names and, if there are any, masks."""
    sizes = [num_samples * BYTES_PER_ROW, num_samples * MAX_NAME_BYTES]
    if num_mask_classes:
        sizes.append(num_samples * mask_row(num_mask_classes).itemsize)
    return tuple(size + _MAX_HEADER_BYTES for size in sizes)


def _check_rows(rows_n: NDArray[Any], listed: SplitIndex, num_classes: int) -> None:
    """Check all rows except their names.

    Raises:
        ValueError: One is invalid; the message is only the reason.
    """
    if len(rows_n) != listed.num_samples:
        raise ValueError(f"it has {len(rows_n):,} rows instead of {listed.num_samples:,}")
    sizes_k = np.array([shard.size_bytes for shard in listed.shards])
    counts_k = np.zeros(len(sizes_k), dtype=np.int64)
    for first in range(0, len(rows_n), _ROWS_PER_BLOCK):
        rows = read_block(rows_n, first, first + _ROWS_PER_BLOCK)
        if rows["shard"].max() >= len(sizes_k):
            raise ValueError("a row refers to a missing shard")
        if rows["label"].max() >= num_classes:
            raise ValueError("a row refers to a missing class")
        if rows["size"].min() < 1 or rows["size"].max() > MAX_SAMPLE_BYTES:
            raise ValueError(f"an image has no bytes, or more than {MAX_SAMPLE_BYTES:,}")
        # A sum would overflow for offsets near the largest number.
        room = sizes_k[rows["shard"]] - rows["size"]
        if rows["offset"].min() < 0 or (rows["offset"] > room).any():
            raise ValueError("an image is outside its shard")
        counts_k += np.bincount(rows["shard"], minlength=len(counts_k))
    if counts_k.tolist() != [shard.num_samples for shard in listed.shards]:
        raise ValueError("its shards have different numbers of images")


def _map(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    try:
        return map_array(path, kind)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: {reason}; run resnext pack again to restore it") from None
