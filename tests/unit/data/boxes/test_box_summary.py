"""`resnext data check` on boxes: counts, sizes, and what looks wrong."""

from __future__ import annotations

import json
from pathlib import Path

from command import Command
from PIL import Image


def write(root: Path, size: tuple[int, int] = (200, 100)) -> None:
    root.mkdir()
    Image.new("RGB", size).save(root / "a.png")
    row = {"image_id": 1, "category_id": 1}
    annotations = [
        {**row, "bbox": [0, 0, 10, 10]},
        {**row, "bbox": [0, 0, 40, 40]},
        {**row, "bbox": [0, 0, 200, 100]},
        {**row, "bbox": [0, 0, 100, 100], "iscrowd": 1},
    ]
    values = {
        "images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": annotations,
    }
    (root / "boxes.json").write_text(json.dumps(values), encoding="utf-8")


def test_boxes_are_counted_by_class_and_size(tmp_path: Path, command: Command) -> None:
    write(tmp_path / "pets")
    found = command.json("data", "check", f"coco:{tmp_path / 'pets'}")
    train = found["splits"]["train"]
    assert train["boxes_by_size"] == {"small": 1, "medium": 1, "large": 1}
    assert train["boxes_by_class"] == {"cat": 3, "dog": 0}
    assert (train["num_boxes"], train["num_crowds"], train["median_side_px"]) == (3, 1, 40)
    text = command.prints("data", "check", f"coco:{tmp_path / 'pets'}")
    assert "note: 1 classes without a box (dog)" in text


def test_an_image_of_another_size_is_a_warning(tmp_path: Path, command: Command) -> None:
    write(tmp_path / "pets", size=(100, 200))
    answer = command("data", "check", f"coco:{tmp_path / 'pets'}")
    assert answer.status == 1
    assert "a.png: 100x200 instead of 200x100" in answer.out
