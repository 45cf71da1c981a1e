"""Images in files, each with a mask: a second file that gives every pixel a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.decode.image import Photo, read_file
from resnext.data.decode.mask import decode_mask
from resnext.data.file_split import FileSplit
from resnext.data.mask_rule import MaskFiles, MaskRule
from resnext.data.names import PackedNames
from resnext.data.split import ImageReader


@dataclass(frozen=True)
class MaskSplit(FileSplit):
    """Images in files, each with a mask.

    Attributes:
        masks: Path of each image's mask below the root.
        sizes_n2: Height and width of each image, in pixels.
        rule: What the values of the masks mean.
    """

    masks: Sequence[str]
    sizes_n2: torch.Tensor
    rule: MaskRule

    @property
    def shapes_n2(self) -> torch.Tensor:
        """Height and width of each image."""
        return self.sizes_n2

    @property
    def mask_files(self) -> MaskFiles:
        """The file of each image's mask."""
        return MaskFiles(self.masks, self.rule)

    def reader(self, in_channels: int) -> ImageReader:
        """Return what opens the images and their masks."""
        return _MaskReader(self, in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some images."""
        numbers = indices_n.tolist()
        return replace(
            self,
            names=PackedNames(self.names[number] for number in numbers),
            masks=PackedNames(self.masks[number] for number in numbers),
            sizes_n2=self.sizes_n2[indices_n],
            targets_n=self.targets_n[indices_n],
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits of the same set behind this one."""
        splits = [self, *others]
        assert all(split.root == self.root for split in others)
        return replace(
            self,
            names=PackedNames(name for split in splits for name in split.names),
            masks=PackedNames(name for split in splits for name in split.masks),
            sizes_n2=torch.cat([split.sizes_n2 for split in splits]),
            targets_n=torch.cat([split.targets_n for split in splits]),
        )


class _MaskReader(ImageReader):
    def __init__(self, split: MaskSplit, in_channels: int) -> None:
        self._root, self._names, self._masks = split.root, split.names, split.masks
        self._rule, self._in_channels = split.rule, in_channels

    def name_of(self, index: int) -> str:
        return str(self._root / self._names[index])

    def photo(self, index: int) -> Photo:
        return Photo(read_file(self._root / self._names[index]), self._in_channels)

    def mask(self, index: int) -> npt.NDArray[np.uint8]:
        values_hw = read_mask(self._root / self._masks[index])
        return self._rule.classes_of(values_hw, self._masks[index])


def read_mask(path: Path) -> npt.NDArray[np.uint8]:
    """Read the values of a mask file, h x w.

    Raises:
        DataError: It cannot be read or is no mask; the message is the reason only.
    """
    return decode_mask(read_file(path))
