"""A split whose images are in shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch

from resnext.data.shards.mask_table import MaskTable
from resnext.data.shards.order import order_of_epoch, order_of_evaluation, shards_ahead
from resnext.data.shards.reader import ShardReader
from resnext.data.shards.remote import Remote
from resnext.data.shards.table import ShardTable
from resnext.data.split import Split
from resnext.errors import ConfigError


@dataclass(frozen=True)
class ShardSplit(Split):
    """Images in shards, in the order of their source files.

    Attributes:
        table: Position of each image of the packed split.
        targets_n: Class indices, or pixels of each class where the targets are masks, int64.
        rows_n: The table's rows that belong to this split, int64; None for all of them.
        remote: Source of the shards, if not the folder of the table.
        mixed: Number of shards whose images are shuffled together; None for all.
        masks: Position of each mask, where the targets are masks.
    """

    table: ShardTable
    targets_n: torch.Tensor
    rows_n: torch.Tensor | None = None
    remote: Remote | None = None
    mixed: int | None = None
    masks: MaskTable | None = None

    @property
    def shapes_n2(self) -> torch.Tensor | None:
        """Height and width of each image, where the targets are masks."""
        if self.masks is None:
            return None
        sizes_n2 = torch.from_numpy(self.masks.sizes_n2)
        return sizes_n2 if self.rows_n is None else sizes_n2[self.rows_n]

    def name(self, index: int) -> str:
        """Return the file's relative path in the source."""
        return self.table.name(self.row(index))

    def path(self, index: int) -> Path:
        """Return the path below the folder of the packed set, if it is local."""
        return Path(self.name(index)) if self.remote else self.table.root / self.name(index)

    def row(self, index: int) -> int:
        """Return the row of the table for an image of this split."""
        return index if self.rows_n is None else int(self.rows_n[index])

    def reader(self, in_channels: int) -> ShardReader:
        """Return the reader of the images."""
        return ShardReader(self, in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return a split with some of the images."""
        rows_n = indices_n.clone() if self.rows_n is None else self.rows_n[indices_n]
        return replace(self, targets_n=self.targets_n[indices_n], rows_n=rows_n)

    def join(self, others: Sequence[Self]) -> Self:
        """Refuse to join splits.

        Raises:
            ConfigError: The splits of a packed set have separate shards.
        """
        raise ConfigError(
            f"--split all: the {len(others) + 1} splits of a packed set must be evaluated one by "
            "one"
        )

    def epoch_order(self, seed: int, epoch: int) -> torch.Tensor:
        """Return the order of an epoch; see `order_of_epoch`."""
        return order_of_epoch(self, seed, epoch)

    def evaluation_order(self) -> torch.Tensor:
        """Return the order of an evaluation; see `order_of_evaluation`."""
        return order_of_evaluation(self)

    def shards_ahead(
        self, order_n: torch.Tensor, spans: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, ...]]:
        """Return for each batch the shards to prefetch; see `shards_ahead`."""
        return shards_ahead(self, order_n, spans)

    def shards_n(self) -> torch.Tensor:
        """Return the number of each image's shard, int32."""
        numbers_n = torch.from_numpy(self.table[:]["shard"].astype("i4"))
        return numbers_n if self.rows_n is None else numbers_n[self.rows_n]
