"""Average precision of masks equals pycocotools'; objects without an outline count neither way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.polygons import Outline, draw_masks, read_outline
from resnext.tasks.detection.mask_precision import MaskFigures, measure_masks, runs_of
from resnext.tasks.detection.masks import mask_of_image

pytest.importorskip("faster_coco_eval")
CLASSES = ("ant", "bee", "cat")
SIDES = (90, 120)
NUM_IMAGES = 8
Found = tuple[npt.NDArray[np.float64], list[npt.NDArray[np.bool_]]]


def random_outline(rng: np.random.Generator) -> Outline:
    """Return a star of one or two parts around a random place, partly outside the image."""
    centre = rng.uniform([0, 0], SIDES[::-1])
    parts = []
    for _ in range(int(rng.integers(1, 3))):
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 12))))
        reach = rng.uniform(5, 40, len(angles))
        points = centre + reach[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        parts.append(points.astype(np.float32))
    return tuple(parts)


def random_image(rng: np.random.Generator) -> BoxImage:
    """Return an image with crowds and objects whose outline is not known."""
    num = int(rng.integers(0, 6))
    outlines = tuple(random_outline(rng) if rng.random() < 0.8 else () for _ in range(num))
    crowds = rng.random(num) < 0.15
    boxes = np.sort(rng.uniform(0, 90, (num, 2, 2)), axis=1).reshape(num, 4)
    known = tuple(() if crowd else one for crowd, one in zip(crowds, outlines, strict=True))
    labels, areas = rng.integers(0, len(CLASSES), num), rng.uniform(10, 900, num)
    return BoxImage(Path("a"), 0, SIDES[1], SIDES[0], boxes, labels, crowds, areas, known)


def random_found(rng: np.random.Generator, image: BoxImage) -> Found:
    """Find some objects again, roughly, some twice, and others that are not there."""
    outlines = [
        tuple(part + rng.normal(0, 2, part.shape).astype(np.float32) for part in outline)
        for outline in image.outlines
        for _ in range(int(rng.integers(0, 3)))
    ] + [random_outline(rng) for _ in range(int(rng.integers(0, 4)))]
    labels = [float(rng.integers(0, len(CLASSES))) for _ in outlines]
    rows = [[0, 0, 0, 0, round(rng.random(), 2), label] for label in labels]
    masks = list(draw_masks(outlines, *SIDES).astype(bool))
    return np.array(rows, dtype=np.float64).reshape(-1, 6), masks


def measured(images: list[BoxImage], found: list[Found]) -> MaskFigures:
    runs = {
        number: runs_of([mask_of_image(mask) for mask in masks], image.outlines, SIDES)
        for number, (image, (_, masks)) in enumerate(zip(images, found, strict=True))
    }
    rows = {number: rows_n6 for number, (rows_n6, _) in enumerate(found)}
    return measure_masks(dict(enumerate(images)), rows, runs, CLASSES)


def annotations_of(image: BoxImage) -> list[dict[str, Any]]:
    """Return COCO's annotations, where the box of an object without outline is a crowd region."""
    rows = []
    for number, outline in enumerate(image.outlines):
        left, top, right, bottom = image.boxes_n4[number].tolist()
        rectangle = [[left, top, right, top, right, bottom, left, bottom]]
        rows.append(
            {
                "category_id": int(image.labels_n[number]) + 1,
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": [part.ravel().tolist() for part in outline] or rectangle,
                "area": float(image.areas_n[number]),
                "iscrowd": int(not outline),
            }
        )
    return rows


def measured_by_pycocotools(images: list[BoxImage], found: list[Found]) -> Any:
    pytest.importorskip("pycocotools")
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    annotations: list[dict[str, Any]] = []
    for number, image in enumerate(images):
        for row in annotations_of(image):
            annotations.append({"id": len(annotations) + 1, "image_id": number + 1, **row})
    truth.dataset = {
        "info": {},
        "images": [{"id": n + 1, "height": 90, "width": 120} for n in range(len(images))],
        "categories": [{"id": n + 1, "name": name} for n, name in enumerate(CLASSES)],
        "annotations": annotations,
    }
    truth.createIndex()
    rows = [
        {
            "image_id": number + 1,
            "category_id": int(row[5]) + 1,
            "segmentation": coco_mask.encode(np.asfortranarray(mask_hw.astype(np.uint8))),
            "score": row[4],
        }
        for number, (rows_n6, masks) in enumerate(found)
        for row, mask_hw in zip(rows_n6, masks, strict=True)
    ]
    evaluation = COCOeval(truth, truth.loadRes(rows), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


@pytest.mark.slow
def test_the_figures_are_those_of_pycocotools() -> None:
    num_between = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        images = [random_image(rng) for _ in range(NUM_IMAGES)]
        found = [random_found(rng, image) for image in images]
        ours, theirs = measured(images, found), measured_by_pycocotools(images, found)
        for (name, value), wanted in zip(ours.figures.items(), theirs.stats[:3], strict=True):
            assert value is not None, (seed, name)
            assert value / 100 == pytest.approx(wanted, abs=1e-9), (seed, name)
        for label, name in enumerate(CLASSES):
            known = theirs.eval["precision"][:, :, label, 0, -1]
            known = known[known > -1]
            value = ours.ap_by_class[name]
            assert (value is None) == (not known.size)
            assert value is None or value / 100 == pytest.approx(known.mean(), abs=1e-9)
        num_between += 0 < theirs.stats[0] < 1
    assert num_between > 50


def square(left: float, side: float = 40.0) -> list[float]:
    return [left, 0, left + side, 0, left + side, side, left, side]


def pair(*, is_outlined: bool = True) -> BoxImage:
    """Return an image with two objects, of which the second may lack its outline."""
    second = read_outline([square(60)]) if is_outlined else ()
    return BoxImage(
        Path("a"),
        0,
        SIDES[1],
        SIDES[0],
        np.array([[0.0, 0, 40, 40], [60, 0, 100, 40]]),
        np.array([0, 0]),
        np.array([False, False]),
        np.array([1600.0, 1600.0]),
        (read_outline([square(0)]), second),
    )


def found_at(*lefts: float) -> Found:
    outlines = [read_outline([square(left)]) for left in lefts]
    rows = [[0.0, 0, 1, 1, 0.9 - 0.1 * n, 0] for n in range(len(lefts))]
    return np.array(rows).reshape(-1, 6), list(draw_masks(outlines, *SIDES).astype(bool))


def test_masks_are_compared_and_not_boxes() -> None:
    figures = measured([pair()], [found_at(0, 60)])
    assert figures.num_masks == 2
    assert figures.figures == dict.fromkeys(
        ("mask_ap", "mask_ap50", "mask_ap75"), pytest.approx(100)
    )
    shifted = measured([pair()], [found_at(10, 50)]).figures  # 30 of 50 columns: overlap 0.6
    assert shifted["mask_ap50"] == pytest.approx(100)
    assert shifted["mask_ap75"] == 0
    assert shifted["mask_ap"] == pytest.approx(30)  # thresholds 0.5, 0.55 and 0.6


def test_an_object_without_an_outline_counts_neither_way() -> None:
    image = pair(is_outlined=False)
    for found in (found_at(0), found_at(60, 0), found_at(60, 62, 0)):
        figures = measured([image], [found])
        assert figures.num_masks == 1
        assert figures.figures["mask_ap"] == pytest.approx(100)
    wrong = measured([image], [found_at(30, 0)]).figures["mask_ap"]  # a quarter of it is in the box
    assert wrong is not None
    assert wrong < 60


def test_without_any_outline_nothing_is_measured() -> None:
    image = replace(pair(), outlines=((), ()))
    figures = measured([image], [found_at(0)])
    assert (figures.num_masks, figures.figures["mask_ap"]) == (0, None)
    assert figures.ap_by_class == dict.fromkeys(CLASSES)


def test_an_endless_outline_takes_no_memory() -> None:
    far = np.array([[-1e7, -1e7], [1e7, 1e7], [-1e7, 1e7]], dtype=np.float32)
    (drawn,) = runs_of([], [(far,)], SIDES).true_m
    assert drawn is not None
    assert len(drawn) < 1000
    zigzag = np.tile(np.array([[0, 0], [120, 90]], dtype=np.float32), (20_000, 1))
    assert runs_of([], [(zigzag,)], SIDES).true_m == (None,)
