"""COCO's JSON: layouts, categories, and what is repaired, left out or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.prefix import is_box_set
from resnext.data.boxes.read import load_boxes
from resnext.errors import DataError

CATEGORIES = [{"id": 7, "name": "cat"}, {"id": 3, "name": "dog"}]


def box(image_id: int, bbox: list[float], category: int = 3, **more: Any) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category, "bbox": bbox, **more}


def write(
    path: Path, annotations: list[Any], *, names: tuple[str, ...] = ("a.png",), **more: Any
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        {"id": number + 10, "file_name": name, "width": 100, "height": 50}
        for number, name in enumerate(names)
    ]
    values = {"images": images, "annotations": annotations, "categories": CATEGORIES, **more}
    path.write_text(json.dumps(values), encoding="utf-8")


def draw(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 50)).save(path)


def read(folder: Path, annotations: list[Any], **more: Any) -> BoxSet:
    """Read one image with these annotations and a sound one of a cat."""
    sound = box(10, [1, 2, 3, 4], category=7)
    write(folder / "labels.json", [sound, *annotations], **more)
    draw(folder / "a.png")
    return load_boxes(f"coco:{folder}")


def told(data: BoxSet) -> dict[str, int]:
    return {finding.text: finding.num for finding in data.findings}


@pytest.mark.parametrize(
    ("files", "images"),
    [
        ("annotations/instances_{}2017.json", "{}2017"),
        ("annotations/instances_{}.json", "{}"),
        ("annotations/instances_{}.json", "images/{}"),
        ("annotations/instances_{}.json", "{}2017"),
        ("{}/_annotations.coco.json", "{}"),
    ],
)
def test_the_usual_layouts_are_found(tmp_path: Path, files: str, images: str) -> None:
    for split in ("train", "val"):
        write(tmp_path / files.format(split), [box(10, [1, 2, 3, 4])])
        draw(tmp_path / images.format(split) / "a.png")
    data = load_boxes(f"coco:{tmp_path}")
    assert list(data.splits) == ["train", "val"]
    assert data.splits["val"][0].path == tmp_path / images.format("val") / "a.png"


def test_roboflows_valid_is_val_and_its_category_of_the_whole_set_is_left_out(
    tmp_path: Path,
) -> None:
    categories = [{"id": 0, "name": "pets", "supercategory": "none"}]
    categories += [{**row, "supercategory": "pets"} for row in CATEGORIES]
    write(
        tmp_path / "valid" / "_annotations.coco.json",
        [box(10, [1, 2, 3, 4])],
        categories=categories,
    )
    draw(tmp_path / "valid" / "a.png")
    data = load_boxes(f"coco:{tmp_path}")
    assert list(data.splits) == ["val"]
    assert data.classes == ("dog", "cat")


def test_categories_are_numbered_by_their_ids_without_gaps(tmp_path: Path) -> None:
    data = read(tmp_path, [box(10, [10, 20, 30, 5])])
    (image,) = data.splits["train"]
    assert data.classes == ("dog", "cat")
    assert image.labels_n.tolist() == [1, 0]
    np.testing.assert_array_equal(image.boxes_n4, [[1, 2, 4, 6], [10, 20, 40, 25]])
    assert image.areas_n.tolist() == [12, 150]
    assert (image.image_id, image.width, image.height) == (10, 100, 50)
    assert not data.findings


def test_crowds_and_areas_of_masks_are_kept(tmp_path: Path) -> None:
    data = read(tmp_path, [box(10, [10, 20, 30, 5], iscrowd=1, area=77.5)])
    (image,) = data.splits["train"]
    assert image.crowds_n.tolist() == [False, True]
    assert image.areas_n.tolist() == [12, 77.5]
    assert told(data) == {"crowd regions, which count neither way": 1}


def test_an_outline_that_is_too_long_is_left_out_and_its_box_stays(tmp_path: Path) -> None:
    square = [10, 10, 20, 10, 20, 20, 10, 20]
    zigzag = [number for x in range(0, 9000, 2) for number in (x / 100, 0, x / 100, 50)]
    rows = [box(10, [10, 10, 10, 10], segmentation=[part]) for part in (square, zigzag)]
    rows[1]["bbox"] = [0, 0, 90, 50]
    data = read(tmp_path, rows)
    (image,) = data.splits["train"]
    assert [len(outline) for outline in image.outlines] == [0, 1, 0]
    (finding,) = data.findings
    assert finding.text == "outlines longer than any object's, left out"
    assert finding.places == ("labels.json: annotations[2]",)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (box(10, [200, 20, 30, 5]), "boxes outside their image, left out"),
        (box(10, [10, 20, 0, 5]), "boxes without area, left out"),
        (box(10, [10, 20, float("nan"), 5]), "boxes that are not four numbers, left out"),
        (box(10, [10, 20, 1e300, 5]), "boxes that are not four numbers, left out"),
        (box(10, [10, 20, 5]), "boxes that are not four numbers, left out"),
        (box(10, [1, 2, 3, 4], category=4), "boxes of a category that is not listed, left out"),
        (box(99, [1, 2, 3, 4]), "boxes of an image that is not listed, left out"),
    ],
)
def test_a_box_that_cannot_be_used_is_left_out_and_named(
    tmp_path: Path, row: dict[str, Any], text: str
) -> None:
    data = read(tmp_path, [row])
    assert len(data.splits["train"][0].boxes_n4) == 1
    (finding,) = data.findings
    assert (finding.text, finding.places) == (text, ("labels.json: annotations[1]",))


@pytest.mark.parametrize(
    ("bbox", "repaired", "text"),
    [
        ([40, 30, -10, -20], [30, 10, 40, 30], "boxes with swapped corners, put in order"),
        (
            [-5, 10, 200, 10],
            [0, 10, 100, 20],
            "boxes that reach out of their image, cut at its border",
        ),
        ([-0.5, 10, 20, 10], [0, 10, 19.5, 20], ""),
    ],
)
def test_a_box_that_can_be_repaired_is(
    tmp_path: Path, bbox: list[float], repaired: list[float], text: str
) -> None:
    data = read(tmp_path, [box(10, bbox)])
    np.testing.assert_array_equal(data.splits["train"][0].boxes_n4[1], repaired)
    assert list(told(data)) == ([text] if text else [])


def test_ids_boxes_and_images_that_are_there_twice_are_named(tmp_path: Path) -> None:
    same = box(10, [10, 10, 5, 5], id=1)
    data = read(tmp_path, [same, same])
    assert told(data) == {
        "annotations with an id that another one has, kept": 1,
        "boxes that are there twice, kept": 1,
    }
    row = {"id": 10, "file_name": "a.png", "width": 100, "height": 50}
    data = read(tmp_path, [], images=[row, row])
    assert told(data) == {"images with an id that another one has, left out": 1}


def test_images_without_boxes_stay_and_missing_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "x.json", [box(10, [1, 2, 3, 4])], names=("a.png", "b.png", "gone.png"))
    draw(tmp_path / "a.png", tmp_path / "b.png")
    data = load_boxes(f"coco:{tmp_path}")
    assert [len(image.boxes_n4) for image in data.splits["train"]] == [1, 0]
    assert told(data) == {
        "images whose file is missing, left out": 1,
        "images without boxes, kept": 1,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[", "cannot be read as COCO's JSON"),
        ("[]", "is not a COCO file"),
        ('{"images": [{"id": 1, "file_name": "../a.png"}]}', r"images\[0\]: file_name '../a.png'"),
        ('{"images": [{"id": "1", "file_name": "a"}]}', r"images\[0\]: an image needs a whole"),
        ('{"images": [], "annotations": [3]}', "annotations must be a list of objects"),
        ('{"images": [], "categories": [{"id": 1}]}', r"categories\[0\]: a category needs"),
        ('{"images": []}', "lists no categories"),
        ('{"images": [], "categories": [{"id": 1, "name": "a"}]}', "none of its 0 images"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, values: str, message: str) -> None:
    (tmp_path / "x.json").write_text(values, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_boxes(f"coco:{tmp_path}")


def test_files_that_disagree_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "annotations" / "instances_train.json", [])
    other = [{"id": 7, "name": "dog"}]
    write(tmp_path / "annotations" / "instances_val.json", [], categories=other)
    with pytest.raises(DataError, match="the category 7 is 'dog' here and 'cat' in"):
        load_boxes(f"coco:{tmp_path}")


def test_two_categories_of_one_name_are_refused(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cell"}, {"id": 2, "name": " cell"}]
    with pytest.raises(DataError, match=r"lists 'cell' twice, as class 1 and class 2; rename"):
        read(tmp_path / "one", [], categories=categories)
    for split, category in zip(("train", "val"), categories, strict=True):
        file = tmp_path / "two" / "annotations" / f"instances_{split}.json"
        write(file, [], categories=[category])
    with pytest.raises(DataError, match=r"instances_val\.json lists 'cell' twice"):
        load_boxes(f"coco:{tmp_path / 'two'}")


def test_roboflows_category_of_the_whole_set_may_have_the_name_of_a_class(tmp_path: Path) -> None:
    categories = [
        {"id": 0, "name": "cell", "supercategory": "none"},
        {"id": 7, "name": "cell", "supercategory": "cell"},
    ]
    assert read(tmp_path, [], categories=categories).classes == ("cell",)


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no JSON file; accepted are"):
        load_boxes(f"coco:{tmp_path}")
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"holds a\.json, b\.json"):
        load_boxes(f"coco:{tmp_path}")
    with pytest.raises(DataError, match="is not a folder; write coco:FOLDER"):
        load_boxes(f"coco:{tmp_path / 'gone'}")


def test_a_set_of_boxes_is_told_by_its_prefix() -> None:
    assert is_box_set("coco:somewhere")
    assert not is_box_set("imagenet:somewhere")
    assert not is_box_set("coco")


def test_a_file_without_images_is_no_split(tmp_path: Path) -> None:
    write(tmp_path / "annotations/instances_train.json", [box(10, [1, 2, 3, 4])])
    draw(tmp_path / "train" / "a.png")
    write(tmp_path / "annotations/instances_val.json", [], names=())
    assert list(load_boxes(f"coco:{tmp_path}").splits) == ["train"]


def test_the_message_names_the_folders_that_were_searched(tmp_path: Path) -> None:
    write(tmp_path / "annotations/instances_train2017.json", [box(10, [1, 2, 3, 4])])
    with pytest.raises(DataError, match=r"1 images exists; they may be in .*train2017, "):
        load_boxes(f"coco:{tmp_path}")
