"""Masks of objects, fitted to their image. Needs no torch.

Legend: s positions along a side of a mask, h x w pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.tasks.segmentation.run_lengths import run_lengths_within

Box = tuple[float, float, float, float]
LEAST = 0.5
"""Probability above which a pixel belongs to an object."""

_BORDER = 1  # empty positions around a mask, so that it ends within its box


@dataclass(frozen=True, eq=False)
class ObjectMask:
    """The pixels of one object.

    Attributes:
        pixels_hw: Which pixels of a part of the image belong to it.
        left: Column of the image where the part begins.
        top: Its row.
        height: Of the image, in pixels.
        width: Of the image, in pixels.
    """

    pixels_hw: npt.NDArray[np.bool_]
    left: int
    top: int
    height: int
    width: int

    def run_lengths(self) -> dict[str, list[int]]:
        """Return COCO's uncompressed run lengths in the whole image."""
        return run_lengths_within(self.pixels_hw, self.left, self.top, (self.height, self.width))

    def on_image(self) -> npt.NDArray[np.bool_]:
        """Return which pixels of the image belong to the object, h x w."""
        whole_hw = np.zeros((self.height, self.width), dtype=bool)
        rows, columns = self.pixels_hw.shape
        whole_hw[self.top : self.top + rows, self.left : self.left + columns] = self.pixels_hw
        return whole_hw


def mask_of_image(is_object_hw: npt.NDArray[np.bool_]) -> ObjectMask:
    """Return a mask from the pixels of a whole image, without its empty borders."""
    height, width = is_object_hw.shape
    rows, columns = (np.flatnonzero(is_object_hw.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return ObjectMask(np.zeros((0, 0), dtype=bool), 0, 0, height, width)
    top, left = int(rows[0]), int(columns[0])
    part_hw = is_object_hw[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1].copy()
    return ObjectMask(part_hw, left, top, height, width)


def fit_mask(soft_ss: npt.NDArray[np.float32], box: Box, height: int, width: int) -> ObjectMask:
    """Fit a network's mask to the box of its object.

    Args:
        soft_ss: Probabilities at positions of the box.
        box: Left, top, right and bottom in pixels.
        height: Of the image.
        width: Of the image.

    Source: torchvision/models/detection/roi_heads.py, `paste_masks_in_image`.
    """
    padded_ss = np.pad(soft_ss.astype(np.float32), _BORDER)
    left, top, right, bottom = _widen(box, len(padded_ss) / len(soft_ss))
    rows = _weights(max(bottom - top + 1, 1), len(padded_ss))
    columns = _weights(max(right - left + 1, 1), len(padded_ss))
    first_row, first_column = max(top, 0), max(left, 0)
    rows = rows[first_row - top : max(min(bottom + 1, height) - top, 0)]
    columns = columns[first_column - left : max(min(right + 1, width) - left, 0)]
    is_object_hw = rows @ padded_ss @ columns.T > LEAST
    return ObjectMask(is_object_hw, first_column, first_row, height, width)


def limit_box(box: Box, height: int, width: int) -> Box:
    """Limit a box to its image, since the memory of a mask grows with its box."""
    left, top, right, bottom = box
    left, right = (min(max(side, 0.0), float(width)) for side in (left, right))
    top, bottom = (min(max(side, 0.0), float(height)) for side in (top, bottom))
    return left, top, max(left, right), max(top, bottom)


def _widen(box: Box, factor: float) -> tuple[int, int, int, int]:
    """Enlarge a box around its centre, to whole pixels."""
    left, top, right, bottom = (np.float32(side) for side in box)
    half = np.float32(0.5)
    sides: list[Any] = []
    for first, last in ((left, right), (top, bottom)):
        centre, reach = (last + first) * half, (last - first) * half * np.float32(factor)
        sides.append((int(centre - reach), int(centre + reach)))
    (left_px, right_px), (top_px, bottom_px) = sides
    return left_px, top_px, right_px, bottom_px


def _weights(num: int, num_given: int) -> npt.NDArray[np.float32]:
    """Return the weights of linear interpolation, num x num_given."""
    places = np.maximum((np.arange(num) + 0.5) * (num_given / num) - 0.5, 0.0).astype(np.float32)
    before = np.minimum(places.astype(int), num_given - 1)
    after = np.minimum(before + 1, num_given - 1)
    share = places - before
    weights: npt.NDArray[np.float32] = np.zeros((num, num_given), np.float32)
    np.add.at(weights, (np.arange(num), before), 1 - share)
    np.add.at(weights, (np.arange(num), after), share)
    return weights
