"""macOS leaves a hidden file such as `._a.csv` beside each file that it copies; none is data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.data.split import DataSet

_OF_MACOS = b"\0\5\26\7\0\2\0\0Mac OS X"
_BOX = (
    '"images": [{"id": 0, "file_name": "0.png", "width": 20, "height": 20}, '
    '{"id": 1, "file_name": "1.png", "width": 20, "height": 20}], '
    '"categories": [{"id": 1, "name": "cat"}], "annotations": '
    '[{"image_id": 0, "category_id": 1, "bbox": [1, 1, 5, 5]}, '
    '{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}]'
)
_VOC = (
    "<annotation><filename>{0}.png</filename><object><name>cat</name><bndbox><xmin>1</xmin>"
    "<ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
)


def _write_images(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(4):
        Image.new("RGB", (20, 20)).save(folder / f"{number}.png")


def _load_with_hidden(text: str, root: Path) -> DataSet:
    """Load a set whose files all have a hidden one beside them."""
    for path in [path for path in root.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(_OF_MACOS)
    return load_data(parse_data(text.format(root)))


@pytest.mark.parametrize("name", ["labels.csv", "train.tsv"])
def test_a_table_beside_its_images(tmp_path: Path, name: str) -> None:
    _write_images(tmp_path / "images")
    mark = "\t" if name.endswith("tsv") else ","
    rows = ["image,label", "0,a", "1,a", "2,b", "3,b"]
    (tmp_path / name).write_text("\n".join(rows).replace(",", mark))
    data = _load_with_hidden("{}", tmp_path)
    assert data.info.classes == ("a", "b")


def test_a_folder_of_texts(tmp_path: Path) -> None:
    rows = [f"word {number},{'ab'[number % 2]}" for number in range(20)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    assert _load_with_hidden("text:{}", tmp_path).info.classes == ("a", "b")


def test_annotations_of_boxes(tmp_path: Path) -> None:
    for kind in ("voc", "coco", "yolo"):
        root = tmp_path / kind
        _write_images(root / "images")
        if kind == "voc":
            (root / "Annotations").mkdir()
            for number in range(4):
                path = root / "Annotations" / f"{number}.xml"
                path.write_text(_VOC.format(number))
        elif kind == "coco":
            (root / "boxes.json").write_text(f"{{{_BOX}}}")
        else:
            (root / "labels").mkdir()
            (root / "labels" / "0.txt").write_text("0 0.5 0.5 0.2 0.2\n")
            (root / "classes.yaml").write_text("names: [cat]\n")
        data = _load_with_hidden(f"{kind}:{{}}", root)
        assert len(data.train) + len(data.val) == (2 if kind == "coco" else 4)


def test_volumes(tmp_path: Path) -> None:
    nib = pytest.importorskip("nibabel")
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(2):
            values = np.zeros((4, 4, 4), dtype=np.float32)
            path = tmp_path / label / f"{number}.nii.gz"
            nib.save(nib.Nifti1Image(values, np.eye(4)), path)
    data = _load_with_hidden("volume:{}", tmp_path)
    assert len(data.train) + len(data.val) == 4
