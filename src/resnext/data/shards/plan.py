"""Assigns images to shards by a shuffle that only depends on their number."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch

from resnext.data.decode.image import read_file
from resnext.data.file_split import FileSplit
from resnext.data.random import subset_order
from resnext.data.shards.encode import Encoding, encode
from resnext.data.shards.layout import MAX_SHARDS, shard_name
from resnext.data.shards.write import TAR_BLOCK, ShardPlan
from resnext.errors import ConfigError, DataError

_NUM_SAMPLED = 256  # images whose mean size stands for all; off by some per cent
_MIB = 1 << 20


class SplitPlan:
    """The shards of one split.

    Images are shuffled, so that every shard contains all classes. The order is that in which
    `num_train` selects images, so a subset is in the first shards.
    """

    def __init__(self, split: str, files: FileSplit, encoding: Encoding, shard_mib: float) -> None:
        """Divide a split into shards of similar size.

        Raises:
            ConfigError: There are too many.
        """
        self.split, self._files, self._encoding = split, files, encoding
        self._order_n = subset_order(len(files))
        per_shard = max(1, int(shard_mib * _MIB / self._mean_bytes()))
        self._num_shards = max(1, -(-len(files) // per_shard))
        if self._num_shards > MAX_SHARDS:
            raise ConfigError(
                f"--shard-mib {shard_mib:g} makes {self._num_shards:,} shards, more than the "
                f"limit of {MAX_SHARDS:,} per split; give a larger size"
            )

    def __len__(self) -> int:
        return self._num_shards

    @property
    def names(self) -> Sequence[str]:
        """All files of the split, relative to its folder."""
        return self._files.names

    def shard(self, number: int) -> ShardPlan:
        """Plan one shard; the numbers of images of shards differ by at most one."""
        start, end = (k * len(self._files) // self._num_shards for k in (number, number + 1))
        numbers_n = self._order_n[start:end]
        numbers, masks = numbers_n.tolist(), self._files.mask_files
        if masks is not None:
            masks = masks._replace(names=tuple(masks.names[index] for index in numbers))
        return ShardPlan(
            name=shard_name(self.split, number),
            number=number,
            source=self._files.root,
            names=tuple(self._files.names[index] for index in numbers),
            numbers_n=tuple(numbers),
            targets_n=tuple(_labels(self._files)[numbers_n].tolist()),
            encoding=self._encoding,
            masks=masks,
        )

    def _mean_bytes(self) -> float:
        """Measure the mean size of an image in a shard, from the first images."""
        sizes, masks = [], self._files.mask_files
        for index in self._order_n[:_NUM_SAMPLED].tolist():
            try:
                content = read_file(self._files.root / self._files.names[index])
                size = len(encode(content, self._encoding)[1])
                target = b"" if masks is None else read_file(self._files.root / masks.names[index])
            except DataError:
                continue  # packing will meet it again and list it
            # Both with header and padding; a label has one block.
            blocks = 2 + -(-size // TAR_BLOCK) + max(-(-len(target) // TAR_BLOCK), 1)
            sizes.append(blocks * TAR_BLOCK)
        return sum(sizes) / len(sizes) if sizes else 3 * TAR_BLOCK


def _labels(files: FileSplit) -> torch.Tensor:
    """Return the class of each image; 0 where the targets are masks, which have no class."""
    if files.mask_files is None:
        return files.targets_n
    return torch.zeros(len(files), dtype=torch.int64)


def fingerprint(classes: Sequence[str], splits: Sequence[FileSplit]) -> str:
    """Hash the classes, file names and labels of a data set, or what its masks mean.

    The content is not included: reading all of it would cost as much as packing.
    """
    digest = hashlib.sha256("\0".join(classes).encode("utf-8", "surrogateescape"))
    for split in splits:
        digest.update(split.targets_n.to(torch.int32).numpy().tobytes())
        for name in split.names:
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        if split.mask_files is not None:
            rule = split.mask_files.rule
            digest.update(f"{rule.values} {rule.ignored}\0".encode())
            for name in split.mask_files.names:
                digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
