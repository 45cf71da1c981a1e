"""Average precision of found objects, as COCO defines it, computed by faster-coco-eval.

A tally keeps what was found in every image; processes exchange theirs, and images are measured in
the order of their numbers, so that the figures do not depend on who evaluated which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage
from resnext.errors import DataError
from resnext.tasks.detection.coco_measure import (
    percent,
    precision_by_class,
    run_evaluation,
    truth_of,
)

_STATS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
_RECALLS = ("ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")


@dataclass(frozen=True)
class BoxFigures:
    """What an evaluation found; in percent, None where there is nothing to measure.

    Attributes:
        num_images: Images.
        num_objects: Objects in them, crowd regions left out.
        figures: COCO's twelve figures by name: `ap` over ten thresholds of overlap, `ap50`,
            `ap75`, `ap_small` and so on, and the average recalls `ar1`, `ar10`, `ar100`, ...
        ap_by_class: `ap` of each class.
        ap50_by_class: `ap50` of each class.
    """

    num_images: int
    num_objects: int
    figures: Mapping[str, float | None]
    ap_by_class: Mapping[str, float | None]
    ap50_by_class: Mapping[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "num_images": self.num_images,
            "num_objects": self.num_objects,
            **self.figures,
            "per_class": {
                name: {"ap": self.ap_by_class[name], "ap50": self.ap50_by_class[name]}
                for name in self.ap_by_class
            },
        }


class BoxTally:
    """Collects what a network found. Legend: n objects found in an image."""

    def __init__(
        self, images: Sequence[BoxImage] | Mapping[int, BoxImage], classes: Sequence[str]
    ) -> None:
        """Begin.

        Args:
            images: With their true boxes, by their numbers.
            classes: In the order of the labels.
        """
        self._images = images
        self._classes = tuple(classes)
        self._found: dict[int, npt.NDArray[np.float64]] = {}

    def add(self, number: int, found_n6: npt.NDArray[np.float64]) -> None:
        """Add what was found in an image.

        Args:
            number: Of the image.
            found_n6: Left, top, right, bottom, score and label of each object.
        """
        self._found[number] = np.asarray(found_n6, dtype=np.float64).reshape(-1, 6)

    def result(self) -> BoxFigures:
        """Measure the images that were added.

        Raises:
            DataError: There is none.
            ConfigError: faster-coco-eval is not installed.
        """
        if not self._found:
            raise DataError("there is no image to evaluate")
        numbers = sorted(self._found)
        rows = _rows(self._found, numbers)
        evaluation = run_evaluation(self._truth(numbers), rows, "bbox")
        stats = [percent(value) for value in evaluation.stats[: len(_STATS) + len(_RECALLS)]]
        kept = [self._images[number] for number in numbers]
        return BoxFigures(
            num_images=len(kept),
            num_objects=sum(int((~image.crowds_n).sum()) for image in kept),
            figures=dict(zip((*_STATS, *_RECALLS), stats, strict=True)),
            ap_by_class=precision_by_class(evaluation, self._classes),
            ap50_by_class=precision_by_class(evaluation, self._classes, at_50=True),
        )

    def _truth(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the true boxes as COCO's JSON."""
        annotations: list[dict[str, Any]] = []
        for number in numbers:
            image = self._images[number]
            rows = zip(image.boxes_n4, image.labels_n, image.crowds_n, image.areas_n, strict=True)
            for box, label, is_crowd, area in rows:
                annotations.append(
                    {
                        "image_id": number + 1,
                        "category_id": int(label) + 1,
                        "bbox": _as_coco(box),
                        "area": float(area),
                        "iscrowd": int(is_crowd),
                    }
                )
        return truth_of(self._images, numbers, self._classes, annotations)


def _rows(
    found: Mapping[int, npt.NDArray[np.float64]], numbers: Sequence[int]
) -> list[dict[str, Any]]:
    return [
        {
            "image_id": number + 1,
            "category_id": int(row[5]) + 1,
            "bbox": _as_coco(row[:4]),
            "score": float(row[4]),
        }
        for number in numbers
        for row in found[number]
    ]


def _as_coco(box: npt.NDArray[np.float64]) -> list[float]:
    left, top, right, bottom = map(float, box)
    return [left, top, right - left, bottom - top]
