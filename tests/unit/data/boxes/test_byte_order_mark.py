"""Files that Windows programs save with a byte order mark are read like others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.read import load_boxes

YOLO_LINES = "0 0.5 0.5 0.2 0.4\n1 0.2 0.2 0.2 0.2\n"
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 50}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    "categories": [{"id": 1, "name": "ant"}],
}
VOC = (
    "<annotation><filename>a.png</filename><size><width>100</width><height>50</height></size>"
    "<object><name>ant</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax>"
    "</bndbox></object></annotation>"
)
FILES = {
    "coco": {"boxes.json": json.dumps(COCO)},
    "voc": {"a.xml": VOC, "ImageSets/Main/train.txt": "a\n"},
    "yolo": {"labels/a.txt": YOLO_LINES, "data.yaml": "names: [ant, bee]\n"},
    "yolo without YAML": {"labels/a.txt": YOLO_LINES, "classes.txt": "ant\nbee\n"},
}


def write(root: Path, files: dict[str, str], encoding: str) -> None:
    for image in (root / "a.png", root / "images" / "a.png"):
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 50)).save(image)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding=encoding)


def content(data: BoxSet) -> list[object]:
    images = [(image.boxes_n4.tolist(), image.labels_n.tolist()) for image in data.splits["train"]]
    return [data.classes, data.findings, *images]


@pytest.mark.parametrize(("layout", "files"), FILES.items(), ids=FILES)
def test_a_byte_order_mark_changes_nothing(
    tmp_path: Path, layout: str, files: dict[str, str]
) -> None:
    kind = layout.split()[0]
    write(tmp_path / "plain", files, "utf-8")
    write(tmp_path / "marked", files, "utf-8-sig")
    marked, plain = (load_boxes(f"{kind}:{tmp_path / name}") for name in ("marked", "plain"))
    assert content(marked) == content(plain)
    assert content(plain)[2:] != [([], [])]
