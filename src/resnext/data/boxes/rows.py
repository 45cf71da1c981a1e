"""The objects of images as rows of numbers, as batches carry them.

A row is left, top, right and bottom in pixels, the number of the class, 1 for a crowd region, and
the area. Legend: m objects of one image, b images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage

NUM_COLUMNS = 7
LABEL, CROWD, AREA = 4, 5, 6

Rows = npt.NDArray[np.float64]


def rows_of(image: BoxImage) -> Rows:
    """Return the objects of an image, m x 7."""
    columns = (image.labels_n[:, None], image.crowds_n[:, None], image.areas_n[:, None])
    return np.concatenate([image.boxes_n4, *columns], axis=1, dtype=np.float64)


def pad_rows(rows: Sequence[Rows]) -> Rows:
    """Join the rows of several images, b x m x 7; missing rows are NaN."""
    longest = max((len(rows_m7) for rows_m7 in rows), default=0)
    padded = np.full((len(rows), longest, NUM_COLUMNS), np.nan)
    for number, rows_m7 in enumerate(rows):
        padded[number, : len(rows_m7)] = rows_m7
    return padded


def image_of(rows_m7: Rows, height: int, width: int) -> BoxImage:
    """Return the image that rows describe, without its file; rows of NaN are left out."""
    rows_m7 = rows_m7[~np.isnan(rows_m7[:, LABEL])]
    return BoxImage(
        path=Path(),
        image_id=0,
        width=width,
        height=height,
        boxes_n4=rows_m7[:, :4],
        labels_n=rows_m7[:, LABEL].astype(np.int64),
        crowds_n=rows_m7[:, CROWD] > 0,
        areas_n=rows_m7[:, AREA],
    )
