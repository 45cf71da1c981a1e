"""Kinds of errors of found objects, as TIDE defines them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from resnext.data.boxes.box_set import BoxImage
from resnext.tasks.detection.errors import judge, overlaps

BOX = [10.0, 10.0, 30.0, 30.0]
FAR = [100.0, 100.0, 120.0, 120.0]


def image(*boxes: list[float], labels: list[int], crowds: list[bool] | None = None) -> BoxImage:
    num = len(labels)
    return BoxImage(
        Path("a"),
        0,
        200,
        200,
        np.array(boxes).reshape(-1, 4),
        np.array(labels),
        np.array(crowds or [False] * num, dtype=np.bool_),
        np.full(num, 400.0),
    )


def found(*rows: tuple[list[float], float, int]) -> np.ndarray:
    return np.array([[*box, score, label] for box, score, label in rows]).reshape(-1, 6)


def moved(x: float) -> list[float]:
    return [BOX[0] + x, BOX[1], BOX[2] + x, BOX[3]]


def test_overlap_is_intersection_over_union() -> None:
    pair = overlaps(np.array([BOX]), np.array([moved(10), FAR, BOX]))
    np.testing.assert_allclose(pair, [[200 / 600, 0, 1]])


@pytest.mark.parametrize(
    ("box", "label", "kind", "num_missed"),
    [
        (BOX, 0, "hit", 0),
        (moved(5), 0, "hit", 0),  # 300 / 500
        (BOX, 1, "class", 0),
        (moved(10), 0, "place", 0),
        (moved(10), 1, "both", 1),
        (FAR, 0, "background", 1),
    ],
)
def test_an_object_is_a_hit_or_has_one_kind_of_error(
    box: list[float], label: int, kind: str, num_missed: int
) -> None:
    judged = judge(image(BOX, labels=[0]), found((box, 0.9, label)))
    assert judged.kinds == (kind,)
    assert len(judged.missed) == num_missed


def test_of_two_hits_the_surer_one_counts_and_the_other_is_a_duplicate() -> None:
    judged = judge(image(BOX, labels=[0]), found((moved(1), 0.5, 0), (BOX, 0.9, 0)))
    assert judged.kinds == ("hit", "duplicate")
    assert judged.found_n6[0, 4] == 0.9
    assert judged.errors == Counter({"found twice": 1})


def test_what_is_found_in_a_crowd_is_no_error_and_crowds_are_not_missed() -> None:
    scene = image(BOX, FAR, labels=[0, 0], crowds=[True, False])
    judged = judge(scene, found((BOX, 0.9, 0)))
    assert judged.kinds == ("crowd",)
    assert judged.errors == Counter({"missed": 1})
    assert judged.missed == (1,)


def test_nothing_found_and_nothing_there_is_no_error() -> None:
    assert not judge(image(labels=[]), found()).errors
    assert judge(image(labels=[]), found((BOX, 0.9, 0))).errors == Counter({"nothing there": 1})
