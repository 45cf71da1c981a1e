"""Pascal VOC's XML and YOLO's text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.read import load_boxes
from resnext.errors import DataError


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 50)).save(path)


def texts(data: BoxSet) -> list[str]:
    return [finding.text for finding in data.findings]


def voc_object(corners: str, name: str = "cat", more: str = "") -> str:
    sides = ("xmin", "ymin", "xmax", "ymax")
    inner = "".join(f"<{s}>{v}</{s}>" for s, v in zip(sides, corners.split(), strict=True))
    return f"<object><name>{name}</name>{more}<bndbox>{inner}</bndbox></object>"


def write_voc(root: Path, *objects: str, stem: str = "a") -> None:
    (root / "Annotations").mkdir(exist_ok=True)
    size = "<size><width>100</width><height>50</height></size>"
    text = f"<annotation><filename>{stem}.png</filename>{size}{''.join(objects)}</annotation>"
    (root / "Annotations" / f"{stem}.xml").write_text(text, encoding="utf-8")
    draw(root / "JPEGImages" / f"{stem}.png")


def test_vocs_coordinates_count_from_1_and_the_last_pixel_belongs_to_the_box(
    tmp_path: Path,
) -> None:
    write_voc(tmp_path, voc_object("1 1 100 50"), voc_object("3 4 5 6", "ant"))
    data = load_boxes(f"voc:{tmp_path}")
    (image,) = data.splits["train"]
    np.testing.assert_array_equal(image.boxes_n4, [[0, 0, 100, 50], [2, 3, 5, 6]])
    assert data.classes == ("ant", "cat")
    assert texts(data) == ["coordinates that count from 1, as their smallest ones tell"]


def test_a_coordinate_of_0_tells_that_they_count_from_0(tmp_path: Path) -> None:
    write_voc(tmp_path, voc_object("0 4 5 6"))
    data = load_boxes(f"voc:{tmp_path}")
    np.testing.assert_array_equal(data.splits["train"][0].boxes_n4, [[0, 4, 5, 6]])
    assert texts(data) == ["coordinates that count from 0, as their smallest ones tell"]


def test_vocs_lists_make_splits_and_difficult_objects_count_neither_way(tmp_path: Path) -> None:
    write_voc(tmp_path, voc_object("1 1 9 9"))
    write_voc(tmp_path, voc_object("1 1 9 9", more="<difficult>1</difficult>"), stem="b")
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a 1\n", encoding="utf-8")
    (lists / "val.txt").write_text("b -1\n", encoding="utf-8")
    data = load_boxes(f"voc:{tmp_path}")
    assert list(data.splits) == ["train", "val"]
    assert data.splits["val"][0].crowds_n.tolist() == [True]
    (lists / "val.txt").write_text("gone\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"val\.txt: lists 1 images that have no XML"):
        load_boxes(f"voc:{tmp_path}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "is not Pascal VOC's XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>', "declares entities"),
        (
            "<annotation><filename>../..</filename><size><width>1</width><height>1</height>"
            "</size></annotation>",
            "is not Pascal VOC's XML",
        ),
        (
            "<annotation><size><width>0</width><height>5</height></size></annotation>",
            "an image cannot have 0x5 pixels",
        ),
        ('<?xml version="1.0" encoding="foo-bar"?><annotation/>', "an encoding that is not known"),
        ('<?xml version="1.0" encoding="rot13"?><annotation/>', "an encoding that is not known"),
        ('<?xml version="1.0" encoding="gbk"?><annotation/>', "multi-byte encodings are not"),
        ('<?xml version="1.0" encoding="undefined"?><annotation/>', "is not Pascal VOC's XML"),
    ],
)
def test_xml_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_boxes(f"voc:{tmp_path}")


def test_entities_cannot_hide_in_another_encoding(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><annotation/>'
    (tmp_path / "a.xml").write_text(text, encoding="utf-16")
    with pytest.raises(DataError, match="its encoding is not supported; use UTF-8"):
        load_boxes(f"voc:{tmp_path}")


@pytest.mark.parametrize("layout", ["{kind}/{split}", "{split}/{kind}"])
def test_yolos_shares_become_pixels(tmp_path: Path, layout: str) -> None:
    (tmp_path / "data.yaml").write_text("names: {0: ant, 1: cat}\n", encoding="utf-8")
    draw(tmp_path / layout.format(kind="images", split="train") / "a.png")
    draw(tmp_path / layout.format(kind="images", split="train") / "b.png")
    labels = tmp_path / layout.format(kind="labels", split="train")
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.2 0.4\n", encoding="utf-8")
    data = load_boxes(f"yolo:{tmp_path}")
    first, second = data.splits["train"]
    np.testing.assert_allclose(first.boxes_n4, [[40, 15, 60, 35], [0, 0, 20, 20]])
    assert first.labels_n.tolist() == [1, 0]
    assert len(second.boxes_n4) == 0
    assert texts(data) == ["images without a file of labels, kept"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("0 0.5 0.5 0.2", "lines that are not a class and four numbers, left out"),
        ("0 a 0.5 0.2 0.2", "lines that are not a class and four numbers, left out"),
        ("0 0.5 0.5 0.2 0.2 0.1 0.1", "lines with more than five numbers (polygons), left out"),
        (
            "0 0.5 0.5 0.2 0.2 0.9",
            "lines with six numbers (predictions with a confidence), left out",
        ),
        *(
            (
                line,
                "lines with commas (blanks separate numbers, and fractions have a point), left out",
            )
            for line in ("0,0.5,0.5,0.2,0.2", "0 0,5 0,5 0,2 0,2", "0; 0.5; 0.5; 0.2; 0.2")
        ),
        ("5 0.5 0.5 0.2 0.2", "boxes of a class that has no name, left out"),
        ("0 50 50 20 20", "boxes in pixels instead of shares of the image, left out"),
        ("0 nan 0.5 0.2 0.2", "boxes that are not numbers, left out"),
    ],
)
def test_a_line_that_cannot_be_used_is_left_out_and_named(
    tmp_path: Path, line: str, text: str
) -> None:
    (tmp_path / "classes.txt").write_text("ant\n", encoding="utf-8")
    draw(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(f"0 0.5 0.5 1 1\n{line}\n", encoding="utf-8")
    data = load_boxes(f"yolo:{tmp_path}")
    assert len(data.splits["train"][0].boxes_n4) == 1
    assert data.findings[0].text == text
    assert data.findings[0].places == ("a.txt: line 2",)


def test_yolo_without_names_or_boxes_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "images" / "a.png")
    with pytest.raises(DataError, match="cannot be read for the names of the classes"):
        load_boxes(f"yolo:{tmp_path}")
    (tmp_path / "classes.txt").write_text("ant\n", encoding="utf-8")
    with pytest.raises(DataError, match="contains no usable box: 1 folders of labels that do not"):
        load_boxes(f"yolo:{tmp_path}")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="contains no usable box: its files list none"):
        load_boxes(f"yolo:{tmp_path}")
    lines = "0 1 1\n" * 1200 + "0,1,1\n" + "9 0 0 1 1\n" + "0 50 50 2 2\n"
    (tmp_path / "labels" / "a.txt").write_text(lines, encoding="utf-8")
    with pytest.raises(DataError, match="contains no usable box: 1,200 lines that") as caught:
        load_boxes(f"yolo:{tmp_path}")
    assert "(a.txt: line 1, a.txt: line 2, a.txt: line 3)" in str(caught.value)
    assert "1 lines with commas" in str(caught.value)
    assert "in pixels" not in str(caught.value)  # the first three kinds


def test_vocs_and_cocos_reasons_for_no_box_are_named(tmp_path: Path) -> None:
    write_voc(tmp_path)
    with pytest.raises(DataError, match=r"no usable box: 1 images without boxes, kept \(a\.xml\)$"):
        load_boxes(f"voc:{tmp_path}")
    write_voc(tmp_path, voc_object("1 1 x 50"))
    with pytest.raises(
        DataError, match=r"1 boxes that are not four numbers, left out \(a\.xml: 0\)"
    ):
        load_boxes(f"voc:{tmp_path}")


def test_a_missing_folder_of_labels_is_named(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("ant\n", encoding="utf-8")
    for split in ("train", "test"):
        draw(tmp_path / "images" / split / "a.png")
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "a.txt").write_text("0 0.5 0.5 1 1\n", encoding="utf-8")
    first, _ = load_boxes(f"yolo:{tmp_path}").findings
    assert first.is_wrong
    assert str(first) == (
        "1 folders of labels that do not exist, their images kept without boxes (labels/test)"
    )


def test_yolos_images_may_be_in_further_folders(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\n")
    for part in ("", "camera/"):
        draw(tmp_path / f"images/train/{part}a.png")
        label = tmp_path / f"labels/train/{part}a.txt"
        label.parent.mkdir(parents=True)
        label.write_text("0 0.5 0.5 0.2 0.4\n" * (2 if part else 1))
    draw(tmp_path / "images/train/.cache/b.png")
    data = load_boxes(f"yolo:{tmp_path}")
    assert [len(image.labels_n) for image in data.splits["train"]] == [1, 2]
    assert not [finding for finding in data.findings if "label" in finding.text]


def test_yolos_empty_folder_is_no_split_and_images_beside_splits_are_reported(
    tmp_path: Path,
) -> None:
    (tmp_path / "classes.txt").write_text("cat\n")
    for name in ("train/a", "c", "val2017/d"):
        draw(tmp_path / f"images/{name}.png")
    (tmp_path / "images" / "val").mkdir()
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    data = load_boxes(f"yolo:{tmp_path}")
    assert list(data.splits) == ["train"]
    (left_out,) = [finding for finding in data.findings if "left out" in finding.text]
    assert left_out.places == ("images/c.png", "images/val2017/d.png")
