"""The objects of many images in a few arrays, which worker processes share without copying."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.polygons import PackedOutlines


@dataclass(frozen=True, eq=False)
class PackedObjects:
    """Objects, image after image. Legend: n images, m objects.

    Attributes:
        starts_n: Position of the first object of each image, and the number of all at the end.
        boxes_m4: Left, top, right and bottom in pixels.
        labels_m: Class numbers.
        crowds_m: Whether the box holds many objects.
        areas_m: In square pixels.
        sizes_n2: Height and width of each image in pixels, int64.
        ids_n: Number of each image in its annotations.
        outlines_m: Outline of each object; empty where none is recorded.
    """

    starts_n: npt.NDArray[np.int64]
    boxes_m4: npt.NDArray[np.float64]
    labels_m: npt.NDArray[np.int64]
    crowds_m: npt.NDArray[np.bool_]
    areas_m: npt.NDArray[np.float64]
    sizes_n2: npt.NDArray[np.int64]
    ids_n: npt.NDArray[np.int64]
    outlines_m: PackedOutlines

    @classmethod
    def pack(cls, images: Sequence[BoxImage]) -> Self:
        """Pack the objects of images."""
        counts = [len(image.labels_n) for image in images]
        sizes = [(image.height, image.width) for image in images]
        return cls(
            starts_n=np.cumsum([0, *counts], dtype=np.int64),
            boxes_m4=np.concatenate([np.zeros((0, 4)), *(image.boxes_n4 for image in images)]),
            labels_m=_join(np.int64, (image.labels_n for image in images)),
            crowds_m=_join(np.bool_, (image.crowds_n for image in images)),
            areas_m=_join(np.float64, (image.areas_n for image in images)),
            sizes_n2=np.array(sizes, dtype=np.int64).reshape(-1, 2),
            ids_n=np.array([image.image_id for image in images], dtype=np.int64),
            outlines_m=PackedOutlines.pack(
                outline
                for image in images
                for outline in image.outlines or ((),) * len(image.labels_n)
            ),
        )

    def image(self, index: int, path: Path) -> BoxImage:
        """Return an image with its objects.

        Args:
            index: Number of the image.
            path: Its file.
        """
        of_image = slice(int(self.starts_n[index]), int(self.starts_n[index + 1]))
        height, width = map(int, self.sizes_n2[index])
        return BoxImage(
            path,
            int(self.ids_n[index]),
            width,
            height,
            self.boxes_m4[of_image],
            self.labels_m[of_image],
            self.crowds_m[of_image],
            self.areas_m[of_image],
            tuple(self.outlines_m[number] for number in range(of_image.start, of_image.stop)),
        )

    def choose(self, indices: Iterable[int]) -> Self:
        """Return the objects of some images, in this order."""
        return self.pack([self.image(index, Path()) for index in indices])

    def num_without_outline(self) -> int:
        """Count the objects whose outline is not recorded; crowd regions are left out."""
        polygons_m = np.diff(self.outlines_m.ends_m, prepend=0)
        return int(((polygons_m == 0) & ~self.crowds_m).sum())

    def counts(self, num_classes: int) -> npt.NDArray[np.int64]:
        """Count the objects of each image by class, n x k; crowd regions are left out."""
        counts_nk = np.zeros((len(self.ids_n), num_classes), dtype=np.int64)
        numbers_m = np.repeat(np.arange(len(self.ids_n)), np.diff(self.starts_n))
        kept_m = ~self.crowds_m
        np.add.at(counts_nk, (numbers_m[kept_m], self.labels_m[kept_m]), 1)
        return counts_nk


def _join(kind: type[np.generic], parts: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=kind), *parts])
