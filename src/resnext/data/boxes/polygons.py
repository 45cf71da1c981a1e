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
_MAX_LENGTH_PX = 2**22
_CROSSINGS_AT_ONCE = 2**18


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


def is_too_long(outline: Outline, height: int, width: int) -> bool:
    """Return whether an outline is longer than any object's, so that drawing it costs too much.

    Args:
        outline: Of one object.
        height: Of its image in pixels.
        width: Of its image in pixels.
    """
    # What is far outside the image is not drawn, and coordinates there may be mere mistakes.
    low, high = (-width, -height), (2 * width, 2 * height)
    length_px = sum(_length_px(points_p2.clip(low, high)) for points_p2 in outline)
    twice_all_sides_px = 4 * height * width + 16 * (height + width)  # of the pixels, and some more
    return length_px > min(_MAX_LENGTH_PX, twice_all_sides_px)


def _length_px(points_p2: npt.NDArray[np.floating]) -> float:
    """Return the length of a polygon: the sum of its edges' extents in both directions."""
    edges_p2 = points_p2 - np.roll(points_p2, 1, axis=0)
    return float(np.abs(edges_p2).sum(dtype=np.float64))


def draw_masks(outlines: Sequence[Outline], height: int, width: int) -> npt.NDArray[np.uint8]:
    """Draw objects as masks of 0 and 1, m x h x w: a pixel belongs to it if its centre does."""
    return draw_masks_at(outlines, np.arange(height), np.arange(width))


def draw_masks_at(
    outlines: Sequence[Outline], rows_h: npt.NDArray[np.int64], columns_w: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Draw the given rows and columns of the masks that `draw_masks` draws, m x h x w.

    Args:
        outlines: Of each object.
        rows_h: Numbers of rows of pixels, ascending; a number may occur several times.
        columns_w: Numbers of columns, ascending or, for a mirror image, descending.
    """
    masks_mhw = np.zeros((len(outlines), len(rows_h), len(columns_w)), dtype=np.uint8)
    views_mhw = masks_mhw
    if len(columns_w) and columns_w[0] > columns_w[-1]:
        views_mhw, columns_w = masks_mhw[:, :, ::-1], columns_w[::-1]
    centres_h, columns = rows_h.astype(np.float64) + 0.5, columns_w.astype(np.float64)
    for mask_hw, outline in zip(views_mhw, outlines, strict=True):
        for points_p2 in outline:
            _fill(mask_hw, points_p2.astype(np.float64), centres_h, columns)
    return masks_mhw


def _fill(
    mask_hw: npt.NDArray[np.uint8],
    points_p2: npt.NDArray[np.float64],
    centres_h: npt.NDArray[np.float64],
    columns_w: npt.NDArray[np.float64],
) -> None:
    """Fill a polygon: in each row of pixel centres, every second stretch between its edges.

    Only the part of the mask around the polygon is touched, and only some of the points where rows
    cross edges are kept at a time: memory is bounded by the mask and the number of edges.
    """
    (x_p, y_p), (next_x_p, next_y_p) = points_p2.T, np.roll(points_p2, -1, axis=0).T
    first_p = np.searchsorted(centres_h, np.minimum(y_p, next_y_p))
    ends_p = np.searchsorted(centres_h, np.maximum(y_p, next_y_p))
    top, bottom = int(first_p.min()), int(ends_p.max())
    # A crossing may be rounded to a place slightly outside its edge.
    left, right = map(int, np.searchsorted(columns_w, (x_p.min() - 1, x_p.max() + 1)))
    if top >= bottom or left >= right:
        return
    crossings_p = np.cumsum(ends_p - first_p)
    skipped_p = ends_p - crossings_p
    sides = (bottom - top, right - left + 1)  # the last column: edges to the right of the part
    num_crossed_hw = np.zeros(sides, dtype=np.uint8)  # modulo 256, which leaves odd numbers odd
    for start in range(0, int(crossings_p[-1]), _CROSSINGS_AT_ONCE):
        crossings = np.arange(start, min(start + _CROSSINGS_AT_ONCE, int(crossings_p[-1])))
        edges = np.searchsorted(crossings_p, crossings, side="right")
        rows = crossings + skipped_p[edges]
        shares = (centres_h[rows] - y_p[edges]) / (next_y_p - y_p)[edges]
        places = x_p[edges] + shares * (next_x_p - x_p)[edges]
        columns = np.searchsorted(columns_w, np.ceil(places - 0.5)).clip(left, right)
        np.add.at(num_crossed_hw, (rows - top, columns - left), np.uint8(1))
    mask_hw[top:bottom, left:right] |= num_crossed_hw[:, :-1].cumsum(axis=1, dtype=np.uint8) & 1
