"""A split whose images lie in shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from resnext.data.shards.remote import Remote
from resnext.data.shards.table import ShardTable


@dataclass(frozen=True)
class ShardSplit:
    """Images in shards, in the order that their files had in the source.

    Attributes:
        table: Where each image of the packed split lies.
        labels_n: Class indices, int64.
        rows_n: The table's rows that belong to this split, int64; None for all of them.
        remote: Where the shards come from, if not from the folder of the table.
        mixed: Shards whose images are mixed with one another; None for all.
    """

    table: ShardTable
    labels_n: torch.Tensor
    rows_n: torch.Tensor | None = None
    remote: Remote | None = None
    mixed: int | None = None

    def __len__(self) -> int:
        return len(self.labels_n)

    @property
    def root(self) -> Path:
        """The folder of the packed set; none if it lies at an address."""
        return self.table.root if self.remote is None else Path()

    @property
    def names(self) -> Sequence[str]:
        """The names that the files had below the source's folder, read when asked for."""
        return _Names(self)

    def row(self, index: int) -> int:
        """Return the row of the table for an image of this split."""
        return index if self.rows_n is None else int(self.rows_n[index])

    def choose(self, indices_n: torch.Tensor) -> ShardSplit:
        """Return the split of some images."""
        rows_n = indices_n.clone() if self.rows_n is None else self.rows_n[indices_n]
        return replace(self, labels_n=self.labels_n[indices_n], rows_n=rows_n)

    def shards_n(self) -> torch.Tensor:
        """Return the number of each image's shard, int32."""
        numbers_n = torch.from_numpy(self.table[:]["shard"].astype("i4"))
        return numbers_n if self.rows_n is None else numbers_n[self.rows_n]


class _Names(Sequence[str]):
    def __init__(self, split: ShardSplit) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    # A slice is never asked for; a sequence that ends is needed to iterate.
    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no slices
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._split.table.name(self._split.row(index))
