"""Where each sample of a packed split lies: a table that is mapped, not loaded.

A row has `BYTES_PER_ROW` bytes, and the pages of the file are shared by all processes, so
14 million samples cost 427 MiB of page cache whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.data.names import PackedNames
from resnext.data.shards.layout import names_path, rows_path
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


class ShardTable(Sequence[Any]):
    """The rows of a split, in the order of the source's files."""

    def __init__(self, root: Path, split: str) -> None:
        """Map the table.

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
        """Travel to a process that was not forked by name, not by content."""
        return ShardTable, (self.root, self.split)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a copy of one column."""
        return self._rows[name].astype(np.int64)

    def name(self, index: int) -> str:
        """Return the name that a sample's file had below the source's folder."""
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
        partial = path.with_name(f"{path.name}.partial")
        with partial.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        partial.replace(path)


def _map(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    try:
        values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:  # EOFError: an empty file
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: {reason}; run resnext pack again to restore it") from None
    if values.dtype != kind or values.ndim != 1:
        raise DataError(f"{path} is another file than pack writes; run resnext pack again")
    return values
