"""Outlines of objects as polygons: packed, and drawn as masks.

Legend: m objects, q polygons, p points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
Outline = tuple[Points, ...]
"""The polygons of an object, p x 2 each: its parts. Empty where its outline is not known."""

MIN_POINTS = 3


@dataclass(frozen=True, eq=False)
class PackedOutlines:
    """The outlines of many objects in three arrays.

    Attributes:
        points_p2: All points, in pixels.
        ends_q: Number of points up to the end of each polygon.
        ends_m: Number of polygons up to the end of each object.
    """

    points_p2: npt.NDArray[np.float32]
    ends_q: npt.NDArray[np.int64]
    ends_m: npt.NDArray[np.int64]

    @classmethod
    def pack(cls, outlines: Iterable[Outline]) -> Self:
        """Pack outlines."""
        polygons: list[Points] = []
        ends = []
        for outline in outlines:
            polygons += outline
            ends.append(len(polygons))
        return cls(
            np.concatenate([np.zeros((0, 2), dtype=np.float32), *polygons]),
            np.cumsum([len(points) for points in polygons], dtype=np.int64),
            np.array(ends, dtype=np.int64),
        )

    def __getitem__(self, number: int) -> Outline:
        """Return the outline of an object."""
        first = int(self.ends_m[number - 1]) if number else 0
        polygons = range(first, int(self.ends_m[number]))
        return tuple(
            self.points_p2[int(self.ends_q[n - 1]) if n else 0 : int(self.ends_q[n])]
            for n in polygons
        )


def read_outline(value: object) -> Outline:
    """Read COCO's `segmentation`: lists of x, y, x, y, ...; anything else is no outline."""
    if not isinstance(value, list):
        return ()
    polygons = []
    for part in value:
        is_polygon = isinstance(part, list) and len(part) >= 2 * MIN_POINTS and not len(part) % 2
        if not is_polygon or not all(_is_number(number) for number in part):
            return ()
        polygons.append(np.array(part, dtype=np.float32).reshape(-1, 2))
    return tuple(polygons)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**24  # not true of NaN either


def draw_masks(outlines: Sequence[Outline], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Draw objects as masks of 0 and 1, m x h x w: a pixel belongs to it if its centre does."""
    masks_mhw = np.zeros((len(outlines), height, width), dtype=np.uint8)
    for mask_hw, outline in zip(masks_mhw, outlines, strict=True):
        for points_p2 in outline:
            mask_hw |= _fill(points_p2.astype(np.float64), height, width)
    return masks_mhw


def _fill(points_p2: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Fill a polygon: in each row of pixel centres, every second stretch between its edges."""
    (x_p, y_p), (next_x_p, next_y_p) = points_p2.T, np.roll(points_p2, -1, axis=0).T
    centres_h = np.arange(height) + 0.5
    crosses_ph = (y_p[:, None] <= centres_h) != (next_y_p[:, None] <= centres_h)
    edges, rows = np.nonzero(crosses_ph)
    shares = (centres_h[rows] - y_p[edges]) / (next_y_p - y_p)[edges]
    places = x_p[edges] + shares * (next_x_p - x_p)[edges]
    columns = np.clip(np.ceil(places - 0.5), 0, width).astype(np.int64)
    num_passed_hw = np.zeros((height, width + 1), dtype=np.int64)
    np.add.at(num_passed_hw, (rows, columns), 1)
    filled_hw: npt.NDArray[np.uint8] = (num_passed_hw.cumsum(axis=1)[:, :width] % 2).astype(
        np.uint8
    )
    return filled_hw
