"""A split whose images are files in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch

from resnext.data.decode.image import Photo, read_file
from resnext.data.mask_rule import MaskFiles
from resnext.data.names import PackedNames
from resnext.data.split import ImageReader, Split


@dataclass(frozen=True)
class FileSplit(Split):
    """Images in files.

    Attributes:
        root: The folder that the names are relative to.
        names: Path of each file below the root, in sorted order.
        targets_n: Class indices, int64.
    """

    root: Path
    names: Sequence[str]
    targets_n: torch.Tensor

    @property
    def files(self) -> FileSplit:
        """The split itself."""
        return self

    @property
    def mask_files(self) -> MaskFiles | None:
        """The file of each image's mask, where the targets are masks."""
        return None

    def name(self, index: int) -> str:
        """Return a file's path relative to the root."""
        return self.names[index]

    def path(self, index: int) -> Path:
        """Return the path of a file."""
        return self.root / self.names[index]

    def reader(self, in_channels: int) -> ImageReader:
        """Return the reader of the images."""
        return _FileReader(self.root, _packed(self.names), in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return a split with some of the images."""
        names: Sequence[str]
        if isinstance(self.names, PackedNames):
            names = self.names.choose(indices_n.numpy())
        else:
            names = tuple(self.names[index] for index in indices_n.tolist())
        return replace(self, names=names, targets_n=self.targets_n[indices_n])

    def join(self, others: Sequence[Self]) -> Self:
        """Append other splits, below their common folder."""
        splits = [self, *others]
        root = Path(os.path.commonpath([split.root for split in splits]))
        prefixes = [split.root.relative_to(root).as_posix() for split in splits]
        names = PackedNames(
            f"{prefix}/{name}" if prefix != "." else name
            for prefix, split in zip(prefixes, splits, strict=True)
            for name in split.names
        )
        targets_n = torch.cat([split.targets_n for split in splits])
        return replace(self, root=root, names=names, targets_n=targets_n)


class _FileReader(ImageReader):
    """Keeps the names packed, so that workers share them."""

    def __init__(self, root: Path, names: PackedNames, in_channels: int) -> None:
        self._root, self._names = root, names
        self._in_channels = in_channels

    def name_of(self, index: int) -> str:
        return str(self._root / self._names[index])

    def photo(self, index: int) -> Photo:
        return Photo(read_file(self._root / self._names[index]), self._in_channels)


def _packed(names: Sequence[str]) -> PackedNames:
    return names if isinstance(names, PackedNames) else PackedNames(names)
