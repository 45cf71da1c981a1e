"""Average precision is pycocotools' own, whatever was found, and the same for all classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnext.data.boxes.box_set import BoxImage
from resnext.errors import DataError
from resnext.tasks.detection.average_precision import BoxTally

pytest.importorskip("faster_coco_eval")
CLASSES = ("ant", "bee", "cat")
NUM_IMAGES = 4
Found = list[list[float]]


def random_box(rng: np.random.Generator) -> list[float]:
    left, top = rng.uniform(0, 150, 2)
    width, height = rng.choice([10.0, 50.0, 150.0]) * rng.uniform(0.5, 1.5, 2)
    return [left, top, left + width, top + height]


def random_image(rng: np.random.Generator) -> BoxImage:
    num = int(rng.integers(0, 7))
    boxes_n4 = np.array([random_box(rng) for _ in range(num)]).reshape(-1, 4)
    sides_n2 = boxes_n4[:, 2:] - boxes_n4[:, :2]
    return BoxImage(
        Path("a.png"),
        0,
        400,
        400,
        boxes_n4,
        rng.integers(0, len(CLASSES), num),
        rng.random(num) < 0.2,
        sides_n2.prod(axis=1) * rng.uniform(0.4, 1.0, num),
    )


def random_found(rng: np.random.Generator, image: BoxImage) -> Found:
    """Find some of the objects again, roughly, some twice, and others that are not there."""
    rows = []
    for box, label in zip(image.boxes_n4, image.labels_n, strict=True):
        for _ in range(int(rng.integers(0, 3))):
            moved = box + rng.normal(0, 6, 4)
            moved[2:] = np.maximum(moved[2:], moved[:2] + 1)
            guess = label if rng.random() < 0.8 else rng.integers(0, len(CLASSES))
            rows.append([*moved, round(rng.random(), 2), float(guess)])
    rows += [
        [*random_box(rng), round(rng.random(), 2), float(rng.integers(0, len(CLASSES)))]
        for _ in range(int(rng.integers(0, 4)))
    ]
    return rows


def measured_by_pycocotools(images: list[BoxImage], found: list[Found]) -> Any:
    pycocotools = pytest.importorskip("pycocotools")
    assert pycocotools
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    tally = BoxTally(images, CLASSES)
    truth = COCO()
    truth.dataset = tally._truth(range(len(images)))
    truth.createIndex()
    rows = [
        {
            "image_id": number + 1,
            "category_id": int(row[5]) + 1,
            "bbox": [row[0], row[1], row[2] - row[0], row[3] - row[1]],
            "score": row[4],
        }
        for number, image_rows in enumerate(found)
        for row in image_rows
    ]
    evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


@pytest.mark.slow
def test_the_figures_are_those_of_pycocotools() -> None:
    num_compared = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        images = [random_image(rng) for _ in range(NUM_IMAGES)]
        found = [random_found(rng, image) for image in images]
        if not any(found):
            continue
        tally = BoxTally(images, CLASSES)
        for number, rows in enumerate(found):
            tally.add(number, np.array(rows).reshape(-1, 6))
        ours = tally.result()
        theirs = measured_by_pycocotools(images, found)
        for (name, value), wanted in zip(ours.figures.items(), theirs.stats, strict=True):
            assert (value is None) == (wanted < 0), (seed, name)
            assert value is None or abs(value / 100 - wanted) < 1e-9, (seed, name)
        precision = theirs.eval["precision"]
        for label, name in enumerate(CLASSES):
            known = precision[:, :, label, 0, -1]
            known = known[known > -1]
            value = ours.ap_by_class[name]
            assert (value is None) == (not known.size)
            assert value is None or abs(value / 100 - known.mean()) < 1e-9
        num_compared += 1
    assert num_compared > 190


def square(x: float, side: float = 40.0) -> list[float]:
    return [x, 0, x + side, side]


def one_image(*labels: int, crowd: int | None = None) -> BoxImage:
    boxes = np.array([square(100.0 * n) for n in range(len(labels))])
    crowds = np.array([n == crowd for n in range(len(labels))])
    areas = np.full(len(labels), 1600.0)
    return BoxImage(Path("a"), 0, 900, 50, boxes, np.array(labels), crowds, areas)


def test_all_found_is_100_percent_and_half_of_them_half() -> None:
    tally = BoxTally([one_image(0, 0)], ("ant",))
    tally.add(0, np.array([[*square(0), 0.9, 0], [*square(100), 0.8, 0]]))
    assert tally.result().figures["ap"] == pytest.approx(100)
    tally.add(0, np.array([[*square(0), 0.9, 0]]))
    figures = tally.result().figures
    assert figures["ap50"] == pytest.approx(100 * 51 / 101)  # precision 1 at recalls 0 to 0.50
    assert figures["ar100"] == pytest.approx(50)


def test_what_is_found_in_a_crowd_counts_neither_way() -> None:
    tally = BoxTally([one_image(0, 0, crowd=1)], ("ant",))
    crowd = [[*square(100 + shift), 0.95, 0] for shift in (0.0, 1.0, 2.0)]
    tally.add(0, np.array([[*square(0), 0.9, 0], *crowd]))
    result = tally.result()
    assert result.figures["ap"] == pytest.approx(100)
    assert result.num_objects == 1


def test_a_class_without_objects_has_no_figure() -> None:
    tally = BoxTally([one_image(0)], CLASSES)
    tally.add(0, np.array([[*square(0), 0.9, 0]]))
    result = tally.result().as_dict()
    assert result["per_class"]["ant"] == {"ap": pytest.approx(100), "ap50": pytest.approx(100)}
    assert result["per_class"]["bee"] == {"ap": None, "ap50": None}


def test_nothing_found_at_all_is_0_percent() -> None:
    tally = BoxTally([one_image(0)], ("ant",))
    tally.add(0, np.zeros((0, 6)))
    assert tally.result().figures["ap"] == 0


def test_without_images_there_are_no_figures() -> None:
    with pytest.raises(DataError, match="no image to evaluate"):
        BoxTally([], ("ant",)).result()
