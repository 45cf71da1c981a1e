"""The names of YOLO's classes: which file has them, and which names are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from resnext.data.boxes.read import load_boxes
from resnext.errors import DataError


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (100, 50)).save(path)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("data.yaml", "names: [a, b, a]", "lists 'a' twice, as class 0 and class 2; rename one"),
        ("data.yaml", "names: {0: a, 1: ' a'}", "lists 'a' twice, as class 0 and class 1"),
        ("data.yaml", 'names: ["caf\\u00e9", "cafe\\u0301"]', "twice"),
        ("data.yaml", "names: [a, null]", "class 1 has no name; give each class a name"),
        ("data.yaml", "names: ['', b]", "class 0 has no name"),
        ("data.yaml", "names: [a, [b]]", r"class 1 is called \['b'\], which is no text"),
        ("classes.txt", "a\nb\na\n", "lists 'a' twice, as class 0 and class 2"),
        ("classes.txt", "a\n\nb\n", "class 1 has no name"),
    ],
)
def test_classes_without_a_name_of_their_own_are_refused(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_boxes(f"yolo:{tmp_path}")


def test_numbers_and_empty_lines_at_the_end_are_no_mistake(tmp_path: Path) -> None:
    draw(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 1 1\n", encoding="utf-8")
    (tmp_path / "classes.txt").write_text("ant \n bee\n\n \n", encoding="utf-8")
    assert load_boxes(f"yolo:{tmp_path}").classes == ("ant", "bee")
    (tmp_path / "data.yaml").write_text("names: [1, 2.5]\n", encoding="utf-8")
    assert load_boxes(f"yolo:{tmp_path}").classes == ("1", "2.5")


NAMES, OTHERS, NONE = "names: [ant]\n", "names: [bee]\n", "epochs: 3\n"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"data.yml": NAMES}, "ant"),
        ({"set.yml": NAMES}, "ant"),
        ({"data.yaml": NAMES, "a.yaml": OTHERS, "data.yml": OTHERS}, "ant"),
        ({"data.yml": NAMES, "a.yaml": OTHERS}, "ant"),
        ({"a.yaml": NAMES, "b.yml": OTHERS}, "ant"),
        ({"args.yaml": NONE, "z.yaml": NAMES}, "ant"),
        ({"args.yaml": NONE, "data.yaml": NONE, "z.yml": NAMES}, "ant"),
        ({"args.yaml": "- a\n", "empty.yaml": "", "none.yaml": "names:\n", "z.yml": NAMES}, "ant"),
        ({"args.yaml": "!custom {", "z.yaml": NAMES}, "ant"),
        ({"args.yaml": NONE, "classes.txt": "ant\n"}, "ant"),
        ({"data.yaml": NAMES, "classes.txt": "bee\n"}, "ant"),
    ],
)
def test_names_are_taken_from_the_file_that_has_them(
    tmp_path: Path, files: dict[str, str], wanted: str
) -> None:
    draw(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 1 1\n", encoding="utf-8")
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load_boxes(f"yolo:{tmp_path}").classes == (wanted,)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"args.yaml": NONE}, r"args\.yaml: lists no classes; add names"),
        ({"a.yaml": "names: ant", "b.yaml": "["}, r"a\.yaml: lists no classes"),
        ({"data.yaml": "[", "z.yaml": NAMES}, r"data\.yaml: cannot be read for the names"),
        ({"data.yaml": "names: {0: a, 2: b}"}, "number 1 has no name"),
        ({"data.yaml": "names: {0: a, 00: b}"}, "number 1 has no name"),
        ({"data.yaml": "names: {a: 0}"}, "cannot be read for the names"),
        ({"classes.txt": "\n"}, r"classes\.txt: lists no classes"),
    ],
)
def test_files_without_usable_names_are_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_boxes(f"yolo:{tmp_path}")
