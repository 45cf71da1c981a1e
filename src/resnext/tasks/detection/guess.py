"""How precise boxes are that do not depend on the image. Legend: n boxes, m objects, k classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.packed import PackedObjects
from resnext.tasks.detection.average_precision import BoxTally
from resnext.tasks.detection.errors import overlaps

_MAX_OBJECTS = 500
"""Objects of each class that are compared with each other."""
_MAX_IMAGES = 500
_MAX_BOXES = 100
"""COCO's average precision counts so many boxes of an image."""
_NEAR = 0.5

Numbers = npt.NDArray[np.float64]


def blind_ap(train: PackedObjects, val: PackedObjects, classes: Sequence[str]) -> float:
    """Return the AP, in percent, of finding the same objects in every validation image.

    These are the boxes, relative to the size of the image, that overlap most training objects of
    their class by at least one half; their score is the share that they overlap. A detector that
    is no more precise has learned where objects usually are, but not what they look like.

    Args:
        train: Training objects.
        val: Validation objects; of many images, 500 are measured.
        classes: In the order of the labels.

    Raises:
        ConfigError: faster-coco-eval is not installed.
    """
    boxes_n6 = usual_boxes(train)
    numbers = _spread(len(val.ids_n), _MAX_IMAGES)
    images = {number: val.image(number, Path()) for number in numbers}
    tally = BoxTally(images, classes)
    for number, image in images.items():
        sides_6 = np.array([image.width, image.height, image.width, image.height, 1.0, 1.0])
        tally.add(number, boxes_n6 * sides_6)
    return tally.result().figures["ap"] or 0.0


def usual_boxes(train: PackedObjects) -> Numbers:
    """Return boxes that objects often have: sides from 0 to 1, score and label, best first.

    Args:
        train: Training objects; crowd regions are left out.
    """
    kept_m = ~train.crowds_m
    numbers_m = np.repeat(np.arange(len(train.ids_n)), np.diff(train.starts_n))
    sides_m4 = np.tile(train.sizes_n2[numbers_m][:, ::-1], 2).astype(np.float64)
    boxes_m4 = (train.boxes_m4 / np.maximum(sides_m4, 1.0))[kept_m]
    labels_m = train.labels_m[kept_m]
    rows = [np.zeros((0, 6))]
    for label in np.unique(labels_m):
        of_class_m4 = boxes_m4[labels_m == label]
        of_class_m4 = of_class_m4[_spread(len(of_class_m4), _MAX_OBJECTS)]
        weight = float((labels_m == label).mean())
        rows.append(_cover(of_class_m4, int(label), weight))
    boxes_n6 = np.concatenate(rows)
    return boxes_n6[np.argsort(-boxes_n6[:, 4], kind="stable")][:_MAX_BOXES]


def _cover(boxes_m4: Numbers, label: int, weight: float) -> Numbers:
    """Take the box that overlaps most objects, then the one that overlaps most of the others."""
    is_near_mm = overlaps(boxes_m4, boxes_m4) >= _NEAR
    np.fill_diagonal(is_near_mm, val=True)
    is_left_m = np.ones(len(boxes_m4), dtype=np.bool_)
    rows: list[list[float]] = []
    while is_left_m.any() and len(rows) < _MAX_BOXES:
        counts_m = (is_near_mm & is_left_m).sum(axis=1)
        best = int(counts_m.argmax())
        rows.append([*boxes_m4[best], weight * float(counts_m[best]) / len(boxes_m4), label])
        is_left_m &= ~is_near_mm[best]
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


def _spread(num: int, most: int) -> npt.NDArray[np.int64]:
    """Return numbers from 0 to `num`, evenly spaced, at most so many."""
    return np.unique(np.linspace(0, max(num - 1, 0), min(num, most)).round().astype(np.int64))
