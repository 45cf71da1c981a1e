"""Tables of labels: which columns, which files, which rows."""

import logging
from pathlib import Path

import pytest

from resnext.data.sets.table.columns import GivenColumns
from resnext.data.sets.table.labelled import number_classes
from resnext.data.sets.table.text import load_text_table
from resnext.errors import DataError


def _folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def _table(root: Path, text: str, name: str = "labels.csv") -> Path:
    path = root / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "image,label\n{a},cat\n{b},dog\n"),
        ("labels.csv", "\ufefffile name;Class\n{a};cat\n{b};dog\n"),
        ("labels.tsv", "id\tTarget\n{a}\tcat\n{b}\tdog\n"),
        ("LABELS.CSV", 'x,Label,image_path\r\n1,"cat",{a}\r\n2,dog,{b}\r\n'),
    ],
)
@pytest.mark.parametrize(("a", "b"), [("a.jpg", "b.jpg"), ("./a.jpg", "b.jpg"), ("a", "b")])
def test_usual_columns_and_paths_are_found(
    tmp_path: Path, name: str, text: str, a: str, b: str
) -> None:
    root = _folder(tmp_path, "train/a.jpg", "train/b.jpg")
    found = load_text_table(_table(root, text.format(a=a, b=b), name))
    assert found.classes == ("cat", "dog")
    assert (found.files.root, list(found.files.names)) == (root / "train", ["a.jpg", "b.jpg"])
    assert found.files.targets_n.tolist() == [0, 1]
    assert found.splits is None
    assert not found.bad_rows


def test_images_in_several_rows_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = _folder(tmp_path, "a.png", "b.png")
    text = "image,label\na.png,cat\nb.png,dog\n./a.png,dog\n"
    with caplog.at_level(logging.WARNING):
        load_text_table(_table(root, text))
    assert "1 images occur in several rows, such as 'a.png'" in caplog.text


def test_a_path_of_any_length_is_a_row_that_is_left_out(tmp_path: Path) -> None:
    root = _folder(tmp_path, "a.png", "b.png")
    text = f"image,label\na.png,cat\n{'x' * 300}.png,dog\nb.png,dog\n"
    assert list(load_text_table(_table(root, text)).bad_rows) == [3]


def test_a_column_that_nearly_holds_labels_is_named_instead_of_left_out(tmp_path: Path) -> None:
    root = _folder(tmp_path, *(f"{number}.png" for number in range(8)))
    rows = [f"{number}.png,{number % 2},{number // 4},{number % 3 // 2}" for number in range(8)]
    rows[6] = "6.png,0,1,NA"
    table = _table(root, "\n".join(["image,red,round,ripe", *rows]))
    message = (
        r"column 'ripe' looks like a label, but the cell in row 7 is 'NA'.*\[red, round, ripe\]"
    )
    with pytest.raises(DataError, match=message):
        load_text_table(table)
    given = GivenColumns(labels=("red", "round", "ripe"))
    assert load_text_table(table, given).bad_rows == {8: "'ripe' is 'NA', neither 1, 0 nor empty"}


def test_splits_are_read_in_any_spelling(tmp_path: Path) -> None:
    root = _folder(tmp_path, "a.png", "b.png", "c.png")
    table = _table(root, "path,label,Split\na.png,1,Train\nb.png,2,valid\nc.png,2,TESTING\n")
    assert load_text_table(table).splits == ["train", "val", "test"]
    bad = _table(root, "path,label,split\na.png,1,train\nb.png,2,later\n")
    with pytest.raises(DataError, match="line 3: 'later' is not a split; accepted are train, val"):
        load_text_table(bad)


def test_bad_rows_are_named_by_their_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = _folder(tmp_path, "a.png", "b.png")
    text = "path,label\na.png,cat\n,cat\nb.png,\n\nmissing.png,dog\nb.png\nb.png,dog\n"
    with caplog.at_level(logging.WARNING):
        found = load_text_table(_table(root, text))
    assert found.bad_rows == {
        3: "names no image",
        4: "has no label",
        6: "there is no file 'missing.png'",
        7: "has no label",
    }
    assert list(found.files.names) == ["a.png", "b.png"]
    assert "left out 4 of 6 rows: line 3 names no image; line 4 has no label" in caplog.text


@pytest.mark.parametrize("outside", ["../secret.png", "/etc/passwd", "x/../../secret.png"])
def test_a_row_never_leads_out_of_the_folder(tmp_path: Path, outside: str) -> None:
    root = _folder(tmp_path / "set", "a.png")
    _folder(tmp_path, "secret.png")
    found = load_text_table(_table(root, f"path,label\na.png,cat\n{outside},dog\n"))
    assert list(found.files.names) == ["a.png"]
    assert list(found.bad_rows) == [3]


def test_an_absolute_path_below_the_folder_is_accepted(tmp_path: Path) -> None:
    root = _folder(tmp_path, "images/a.png")
    found = load_text_table(_table(root, f"path,label\n{root}/images/a.png,cat\n"))
    assert list(found.files.names) == ["images/a.png"]


def test_numbers_keep_their_own_order() -> None:
    classes, targets_n = number_classes(["10", "9", "2", "10"])
    assert classes == ("2", "9", "10")
    assert targets_n.tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 columns and 0 rows"),
        ("image,label\n", "has no rows below its column names"),
        ("image,image\na,b\n", "two columns are called 'image'"),
        ("image,size\na.png,3\n", "no column has a common name for the label; give it with --set"),
        ("image,label\nnowhere.png,cat\n", "no file for the first rows, which are 'nowhere.png'"),
        ('image,label\n"a.png,cat\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(tmp_path: Path, text: str, message: str) -> None:
    root = _folder(tmp_path, "a.png")
    with pytest.raises(DataError, match=message):
        load_text_table(_table(root, text))


def test_other_encodings_are_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes("image,label\na.png,café\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 text \(byte 21\); save the table in UTF-8"):
        load_text_table(path)
