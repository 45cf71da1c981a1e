"""COCO's evaluation of found objects by faster-coco-eval, of boxes and of masks.

Numbers of images and labels begin with 0; COCO's ids begin with 1, since 0 stands for none.
Legend: t thresholds of overlap, r recalls, k classes, a areas, m limits on the objects found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage
from resnext.extras import import_for

_ALL_AREAS, _MOST_FOUND = 0, -1
_AT_50 = 0

Rows = Sequence[dict[str, Any]]


def truth_of(
    images: Mapping[int, BoxImage] | Sequence[BoxImage],
    numbers: Sequence[int],
    classes: Sequence[str],
    annotations: Rows,
) -> dict[str, Any]:
    """Return the true objects as COCO's JSON.

    Args:
        images: By their numbers.
        numbers: Those that are measured.
        classes: In the order of the labels.
        annotations: The objects, without ids.
    """
    sides = [(number, images[number].width, images[number].height) for number in numbers]
    return {
        "info": {},
        "images": [{"id": n + 1, "width": width, "height": height} for n, width, height in sides],
        "categories": [{"id": label + 1, "name": name} for label, name in enumerate(classes)],
        "annotations": [{"id": n + 1, **row} for n, row in enumerate(annotations)],
    }


def run_evaluation(truth: dict[str, Any], rows: Rows, kind: Literal["bbox", "segm"]) -> Any:
    """Compare found objects with the true ones; return the library's finished evaluation.

    Args:
        truth: COCO's JSON; see `truth_of`.
        rows: The found objects, as COCO's results.
        kind: What overlaps: boxes or masks.

    Raises:
        ConfigError: faster-coco-eval is not installed.
    """
    library = import_for("average precision of boxes", "faster_coco_eval")
    true_objects = library.COCO(truth)
    evaluation = library.COCOeval_faster(
        true_objects, true_objects.loadRes(rows), iouType=kind, print_function=_say_nothing
    )
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def precision_by_class(
    evaluation: Any, classes: Sequence[str], *, at_50: bool = False
) -> dict[str, float | None]:
    """Return the average precision of each class in percent; None where it has no object.

    Args:
        evaluation: See `run_evaluation`.
        classes: In the order of the labels.
        at_50: Count an overlap of one half only, not the mean over ten thresholds.
    """
    precision_trkam: npt.NDArray[np.float64] = evaluation.eval["precision"]
    if at_50:
        precision_trkam = precision_trkam[_AT_50 : _AT_50 + 1]
    values_trk = precision_trkam[:, :, :, _ALL_AREAS, _MOST_FOUND]
    means = {}
    for label, name in enumerate(classes):
        known = values_trk[:, :, label]
        known = known[known > -1]
        means[name] = percent(float(known.mean()) if known.size else -1.0)
    return means


def percent(value: float) -> float | None:
    """Return a share in percent; the library has -1 where there is nothing to measure."""
    return None if math.isnan(value) or value < 0 else 100.0 * float(value)


def _say_nothing(*_: object) -> None:
    """Take the place of a print."""
