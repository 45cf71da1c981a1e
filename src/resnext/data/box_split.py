"""Images in files, with boxes around their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.packed import PackedObjects
from resnext.data.decode.image import Photo, read_file
from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.split import ImageReader


@dataclass(frozen=True)
class BoxSplit(FileSplit):
    """Images in files, with their objects.

    Attributes:
        objects: The objects of each image; `targets_n` counts them by class.
    """

    objects: PackedObjects

    @classmethod
    def make(cls, root: Path, images: Sequence[BoxImage], num_classes: int) -> Self:
        """Return the split of some images.

        Args:
            root: A folder that all of them are below.
            images: The images.
            num_classes: Classes of the data set.
        """
        objects = PackedObjects.pack(images)
        return cls(
            root=root,
            names=PackedNames(image.path.relative_to(root).as_posix() for image in images),
            targets_n=torch.from_numpy(objects.counts(num_classes)),
            objects=objects,
        )

    @property
    def shapes_n2(self) -> torch.Tensor:
        """Height and width of each image."""
        return torch.from_numpy(self.objects.sizes_n2)

    def reader(self, in_channels: int) -> ImageReader:
        """Return what opens the images and knows their objects."""
        return _BoxReader(self, in_channels)

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some images."""
        numbers = indices_n.tolist()
        return replace(
            self,
            names=PackedNames(self.names[number] for number in numbers),
            targets_n=self.targets_n[indices_n],
            objects=self.objects.choose(numbers),
        )

    def join(self, others: Sequence[Self]) -> Self:
        """Put other splits of the same set behind this one."""
        splits = [self, *others]
        assert all(split.root == self.root for split in others)
        images = [
            split.objects.image(number, Path()) for split in splits for number in range(len(split))
        ]
        return replace(
            self,
            names=PackedNames(name for split in splits for name in split.names),
            targets_n=torch.cat([split.targets_n for split in splits]),
            objects=PackedObjects.pack(images),
        )


class _BoxReader(ImageReader):
    def __init__(self, split: BoxSplit, in_channels: int) -> None:
        self._root, self._names, self._objects = split.root, split.names, split.objects
        self._in_channels = in_channels

    def name_of(self, index: int) -> str:
        return str(self._root / self._names[index])

    def photo(self, index: int) -> Photo:
        return Photo(read_file(self._root / self._names[index]), self._in_channels)

    def objects(self, index: int) -> BoxImage:
        return self._objects.image(index, self._root / self._names[index])
