"""What guessing is for detectors: the same boxes in every image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.packed import PackedObjects
from resnext.tasks.detection.guess import blind_ap, usual_boxes

pytest.importorskip("faster_coco_eval")
CLASSES = ("cat", "dog")


def image(
    boxes: Sequence[Sequence[float]],
    labels: Sequence[int],
    *,
    width: int = 100,
    crowds: tuple[int, ...] = (),
) -> BoxImage:
    boxes_n4 = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    is_crowd_n = np.array([number in crowds for number in range(len(labels))], dtype=np.bool_)
    areas_n = (boxes_n4[:, 2:] - boxes_n4[:, :2]).prod(axis=1)
    labels_n = np.array(labels, dtype=np.int64)
    return BoxImage(Path(), 1, width, 50, boxes_n4, labels_n, is_crowd_n, areas_n)


def pack(*images: BoxImage) -> PackedObjects:
    return PackedObjects.pack(images)


def test_objects_that_are_always_in_one_place_are_guessed_in_images_of_any_size() -> None:
    train = pack(*[image([[10, 10, 40, 40]], [0])] * 5)
    wide = pack(image([[20, 10, 80, 40]], [0], width=200), image([[10, 10, 40, 40]], [0]))
    assert blind_ap(train, wide, CLASSES) == pytest.approx(100.0)


def test_guesses_at_other_places_or_of_other_classes_find_nothing() -> None:
    train = pack(image([[10, 10, 40, 40]], [0]))
    assert blind_ap(train, pack(image([[60, 10, 90, 40]], [0])), CLASSES) == 0.0
    assert blind_ap(train, pack(image([[10, 10, 40, 40]], [1])), CLASSES) == 0.0


def test_boxes_come_in_the_order_of_the_objects_that_they_overlap() -> None:
    left, right, low = [0, 0, 20, 20], [60, 0, 90, 20], [0, 30, 50, 50]
    boxes_n6 = usual_boxes(
        pack(
            image([right, left], [0, 1]),
            image([right, [61, 0, 91, 20]], [0, 0]),
            image([left, low], [1, 0], crowds=(1,)),
        )
    )
    # Of the five objects that are no crowd, three are close to `right` and two to `left`.
    assert boxes_n6.tolist() == [
        pytest.approx([0.6, 0, 0.9, 0.4, 3 / 5, 0]),
        pytest.approx([0, 0, 0.2, 0.4, 2 / 5, 1]),
    ]


def test_the_number_of_boxes_is_bounded() -> None:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 90, (3000, 2))
    boxes = np.concatenate([corners, corners + 4], axis=1).tolist()
    assert len(usual_boxes(pack(image(boxes, [0] * 3000)))) == 100


def test_without_objects_nothing_is_guessed() -> None:
    assert usual_boxes(pack(image([], []))).shape == (0, 6)
