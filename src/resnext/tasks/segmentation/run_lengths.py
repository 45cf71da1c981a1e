"""Masks as run lengths, as COCO's files have them. Needs no torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
