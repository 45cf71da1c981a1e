"""A split whose images are held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from PIL import Image

from resnext.data.split import ImageReader, Split


@dataclass(frozen=True)
class ArraySplit(Split):
    """Images held in memory.

    Attributes:
        images_nhwc: All images, uint8.
        targets_n: Class indices, int64.
    """

    images_nhwc: torch.Tensor
    targets_n: torch.Tensor

    @property
    def stored_nhwc(self) -> torch.Tensor:
        """All images, uint8."""
        return self.images_nhwc

    def name(self, index: int) -> str:
        """Return a name from an image's number."""
        return f"image {index}"

    def reader(self, in_channels: int) -> ImageReader:
        """Return the reader of the images."""
        return _ArrayReader(self.images_nhwc, in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return a split with some of the images."""
        return replace(
            self, images_nhwc=self.images_nhwc[indices_n], targets_n=self.targets_n[indices_n]
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Append other splits."""
        splits = [self, *others]
        return replace(
            self,
            images_nhwc=torch.cat([split.images_nhwc for split in splits]),
            targets_n=torch.cat([split.targets_n for split in splits]),
        )


class _ArrayReader(ImageReader):
    def __init__(self, images_nhwc: torch.Tensor, in_channels: int) -> None:
        self._images_nhwc = images_nhwc
        self._in_channels = in_channels

    def name_of(self, index: int) -> str:
        return f"image {index}"

    def photo(self, index: int) -> Image.Image:
        pixels = self._images_nhwc[index].numpy()
        return Image.fromarray(pixels[:, :, 0] if self._in_channels == 1 else pixels)
