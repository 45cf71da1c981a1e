"""Masks as run lengths, as COCO's files have them. Needs no torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field


class RunLengths(BaseModel):
    """COCO's uncompressed run lengths."""

    size: list[int] = Field(description="Height and width, in pixels.")
    counts: list[int] = Field(description="Runs of 0 and 1 in turn, column by column, 0 first.")


def run_lengths(is_class_hw: npt.NDArray[np.bool_]) -> dict[str, list[int]]:
    """Return the runs of a mask of one class, in COCO's uncompressed form.

    Pixels are taken column by column; the runs of 0 and 1 alternate, and the first is one of 0,
    which may be empty.
    """
    pixels = is_class_hw.ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = [0, *changes.tolist(), len(pixels)]
    counts = np.diff(edges).tolist()
    starts_with_one = bool(len(pixels)) and bool(pixels[0])
    return {"size": list(is_class_hw.shape), "counts": [0, *counts] if starts_with_one else counts}


def run_lengths_within(
    is_class_hw: npt.NDArray[np.bool_], left: int, top: int, sides: tuple[int, int]
) -> dict[str, list[int]]:
    """Return the runs of a mask that is empty outside a part of the image.

    Only the part is looked at, which is much faster for small objects in large images.

    Args:
        is_class_hw: The mask within the part.
        left: Column of the image where the part begins.
        top: Its row.
        sides: Height and width of the image.
    """
    height, width = sides
    columns, rows = np.nonzero(is_class_hw.T)
    places = (columns.astype(np.int64) + left) * height + rows + top
    if not len(places):
        return {"size": [height, width], "counts": [height * width]}
    is_new = np.flatnonzero(np.diff(places) > 1)
    starts = places[np.concatenate([[0], is_new + 1])]
    ends = places[np.concatenate([is_new, [len(places) - 1]])] + 1
    edges = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], edges, [height * width]])).tolist()
    return {"size": [height, width], "counts": counts if counts[-1] else counts[:-1]}
