"""Average precision of masks, as COCO defines it, computed by faster-coco-eval.

Masks are kept as compressed run lengths, some 100 bytes each. Legend: n objects found in an image,
m true ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.polygons import Outline, Points, is_too_long
from resnext.extras import import_for
from resnext.tasks.detection.coco_measure import (
    percent,
    precision_by_class,
    run_evaluation,
    truth_of,
)
from resnext.tasks.detection.masks import ObjectMask

_STATS = ("mask_ap", "mask_ap50", "mask_ap75")


@dataclass(frozen=True)
class MaskRuns:
    """The masks of an image's objects as COCO's compressed run lengths.

    Attributes:
        found_n: Of the objects found.
        true_m: Of the true objects; None where no outline is recorded.
    """

    found_n: tuple[bytes, ...]
    true_m: tuple[bytes | None, ...]


@dataclass(frozen=True)
class MaskFigures:
    """How well masks fit; in percent, None where there is nothing to measure.

    Attributes:
        num_masks: True objects with an outline, crowd regions left out.
        figures: `mask_ap` over ten thresholds of overlap, `mask_ap50` and `mask_ap75`.
        ap_by_class: `mask_ap` of each class.
    """

    num_masks: int
    figures: Mapping[str, float | None]
    ap_by_class: Mapping[str, float | None]


def runs_of(
    masks: Sequence[ObjectMask], outlines: Sequence[Outline], sides: tuple[int, int]
) -> MaskRuns:
    """Compress the masks of an image.

    Args:
        masks: Of the objects found.
        outlines: Of the true objects; empty ones are not recorded.
        sides: Height and width of the image in pixels.

    Raises:
        ConfigError: faster-coco-eval is not installed.
    """
    library = import_for("average precision of masks", "faster_coco_eval").mask
    found = (library.frPyObjects(mask.run_lengths(), *sides) for mask in masks)
    return MaskRuns(
        tuple(runs["counts"] for runs in found),
        tuple(_draw(library, outline, *sides) for outline in outlines),
    )


def _draw(library: Any, outline: Outline, height: int, width: int) -> bytes | None:
    """Return the run lengths of an outline as pycocotools draws it."""
    # An image's length beyond the border changes no annotation that is meant seriously.
    low, high = -np.array([width, height]), 2 * np.array([width, height])
    polygons: list[Points] = [points_p2.clip(low, high) for points_p2 in outline]
    if not polygons or is_too_long(outline, height, width):
        return None
    rows = [points_p2.astype(np.float64).ravel().tolist() for points_p2 in polygons]
    counts: bytes = library.merge(library.frPyObjects(rows, height, width))["counts"]
    return counts


def measure_masks(
    images: Mapping[int, BoxImage],
    found: Mapping[int, npt.NDArray[np.float64]],
    runs: Mapping[int, MaskRuns],
    classes: Sequence[str],
) -> MaskFigures:
    """Measure the masks found in images.

    Objects without an outline count neither way, and neither does what is found in their box, as
    with crowd regions.

    Args:
        images: With their true objects, by their numbers.
        found: Left, top, right, bottom, score and label of each object found, n x 6.
        runs: The masks.
        classes: In the order of the labels.

    Raises:
        ConfigError: faster-coco-eval is not installed.
    """
    numbers = sorted(images)
    truth = [
        row for number in numbers for row in _true_rows(number, images[number], runs[number].true_m)
    ]
    rows = [
        {
            "image_id": number + 1,
            "category_id": int(row[5]) + 1,
            "segmentation": _segmentation(images[number], counts),
            "score": float(row[4]),
        }
        for number in numbers
        for row, counts in zip(found[number], runs[number].found_n, strict=True)
    ]
    evaluation = run_evaluation(truth_of(images, numbers, classes, truth), rows, "segm")
    stats = [percent(value) for value in evaluation.stats[: len(_STATS)]]
    return MaskFigures(
        num_masks=sum(not row["iscrowd"] for row in truth),
        figures=dict(zip(_STATS, stats, strict=True)),
        ap_by_class=precision_by_class(evaluation, classes),
    )


def _true_rows(
    number: int, image: BoxImage, true_m: Sequence[bytes | None]
) -> list[dict[str, Any]]:
    rows = []
    objects = zip(
        image.boxes_n4, image.labels_n, image.crowds_n, image.areas_n, true_m, strict=True
    )
    for (left, top, right, bottom), label, is_crowd, area, counts in objects:
        rectangle = [[left, top, right, top, right, bottom, left, bottom]]
        rows.append(
            {
                "image_id": number + 1,
                "category_id": int(label) + 1,
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": rectangle if counts is None else _segmentation(image, counts),
                "area": float(area),
                "iscrowd": int(is_crowd or counts is None),
            }
        )
    return rows


def _segmentation(image: BoxImage, counts: bytes) -> dict[str, Any]:
    return {"size": [image.height, image.width], "counts": counts}
