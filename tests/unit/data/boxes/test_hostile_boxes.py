"""Whatever a file of boxes holds, it is read or refused with one kind of error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from resnext.data.boxes.read import load_boxes
from resnext.errors import DataError

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 2, -1, 10**30, 0.5, 1e308, float("nan"), float("-inf")]),
    st.sampled_from(["", "a.png", "../a.png", "/etc/passwd", "a\0b", "cat", "1", "\ud800"]),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "bbox", "name", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
IMAGE = {"id": 1, "file_name": "a.png", "width": 100, "height": 50}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
CATEGORY = {"id": 1, "name": "cat", "supercategory": "pet"}
ROWS = {"images": IMAGE, "annotations": BOX, "categories": CATEGORY}
pytestmark = pytest.mark.slow
UNHURRIED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def try_to_read(text: str) -> None:
    try:
        data = load_boxes(text)
    except DataError:
        return
    for images in data.splits.values():
        for image in images:
            assert (image.boxes_n4[:, 2:] > image.boxes_n4[:, :2]).all()
            assert (image.boxes_n4 >= 0).all()
            assert set(image.labels_n.tolist()) <= set(range(len(data.classes)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (100, 50)).save(tmp_path / "a.png")
    return tmp_path


@UNHURRIED
@given(
    group=st.sampled_from(sorted(ROWS)),
    key=st.sampled_from([*IMAGE, *BOX, *CATEGORY]),
    value=VALUES,
    is_row=st.booleans(),
)
def test_any_value_in_cocos_json(
    folder: Path, group: str, key: str, value: Any, is_row: bool
) -> None:
    values: dict[str, Any] = {name: [dict(row)] for name, row in ROWS.items()}
    if is_row:
        values[group][0][key] = value
    else:
        values[group] = value
    (folder / "boxes.json").write_text(json.dumps(values), encoding="utf-8")
    try_to_read(f"coco:{folder}")


@UNHURRIED
@given(value=st.text(max_size=20), place=st.sampled_from(["filename", "width", "name", "xmin"]))
def test_any_text_in_vocs_xml(folder: Path, value: str, place: str) -> None:
    texts = {"filename": "a.png", "width": "100", "name": "cat", "xmin": "3", place: value}
    text = (
        "<annotation><filename>{filename}</filename><size><width>{width}</width>"
        "<height>50</height></size><object><name>{name}</name><bndbox><xmin>{xmin}</xmin>"
        "<ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
    ).format(**texts)
    (folder / "a.xml").write_bytes(text.encode("utf-8", "surrogatepass"))
    try_to_read(f"voc:{folder}")


@UNHURRIED
@given(text=st.text(max_size=60) | st.lists(ATOMS, max_size=12).map(lambda row: f"{row}"))
def test_any_text_in_yolos_files(folder: Path, text: str) -> None:
    (folder / "images").mkdir(exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    Image.new("RGB", (100, 50)).save(folder / "images" / "a.png")
    (folder / "labels" / "a.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
    for names in ("names: [cat]", f"names: {text}"):
        (folder / "data.yaml").write_bytes(names.encode("utf-8", "surrogatepass"))
        try_to_read(f"yolo:{folder}")
