"""Images that a COCO file lists several times become one image with all boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.read import load_boxes

JOINED = "images that are listed twice, their boxes joined"
CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def image(image_id: int, name: str = "a.png", width: int = 100) -> dict[str, Any]:
    return {"id": image_id, "file_name": name, "width": width, "height": 50}


def box(image_id: int, left: float, category: int = 1) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category, "bbox": [left, 2, 3, 4]}


def read(root: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> BoxSet:
    values = {"images": images, "annotations": annotations, "categories": CATEGORIES}
    (root / "boxes.json").write_text(json.dumps(values), encoding="utf-8")
    (root / "images").mkdir()
    Image.new("RGB", (100, 50)).save(root / "images" / "a.png")
    return load_boxes(f"coco:{root}")


def told(data: BoxSet) -> dict[str, int]:
    return {finding.text: finding.num for finding in data.findings}


@pytest.mark.parametrize("second", ["a.png", "images/a.png"])
def test_boxes_of_all_entries_of_a_file_are_joined(tmp_path: Path, second: str) -> None:
    rows = [box(4, 10), box(7, 20, category=2), box(7, 10)]
    data = read(tmp_path, [image(4), image(7, second)], rows)
    (found,) = data.splits["train"]
    assert found.image_id == 4
    assert found.boxes_n4[:, 0].tolist() == [10, 20]
    assert found.labels_n.tolist() == [0, 1]
    assert told(data) == {JOINED: 1}
    assert data.findings[0].places == (f"boxes.json: {second}",)


def test_a_file_that_was_appended_to_itself_has_each_box_once(tmp_path: Path) -> None:
    rows = [box(image_id, left) for image_id in (1, 2, 3) for left in (10, 20)]
    data = read(tmp_path, [image(1), image(2), image(3)], rows)
    (found,) = data.splits["train"]
    assert found.boxes_n4[:, 0].tolist() == [10, 20]
    assert told(data) == {JOINED: 2}


def test_boxes_that_one_entry_has_twice_are_kept_and_named(tmp_path: Path) -> None:
    data = read(tmp_path, [image(1)], [box(1, 10), box(1, 10)])
    assert len(data.splits["train"][0].boxes_n4) == 2
    assert told(data) == {"boxes that are there twice, kept": 1}


def test_an_entry_of_another_size_is_left_out(tmp_path: Path) -> None:
    data = read(tmp_path, [image(1), image(2, width=200)], [box(1, 10), box(2, 150)])
    (found,) = data.splits["train"]
    assert (found.width, found.boxes_n4[:, 0].tolist()) == (100, [10])
    assert told(data) == {"images that are listed twice with two sizes, the first kept": 1}
