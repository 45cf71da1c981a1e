"""Reading the cells of CSV files: sizes, columns, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from resnext.data.sets.series.read import read_series
from resnext.data.sets.table import rows
from resnext.data.sets.table.rows import read_text_table
from resnext.data.sets.text.table import open_table
from resnext.errors import DataError


def test_a_cell_may_be_as_long_as_the_file_and_the_limit_of_the_process_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = csv.field_size_limit()
    text = "word, " * 50_000
    (tmp_path / "x.csv").write_text(f'text,label\n"{text}",a\nshort,b\n')
    assert read_text_table(tmp_path / "x.csv").column("text") == [text.strip(), "short"]
    assert csv.field_size_limit() == limit
    (tmp_path / "bad.csv").write_text('text,label\n"open,b\n')
    with pytest.raises(DataError, match="unexpected end of data"):
        read_text_table(tmp_path / "bad.csv")
    assert csv.field_size_limit() == limit
    monkeypatch.setattr(rows, "MAX_TEXT_BYTES", 1_000)
    with pytest.raises(DataError, match="1,000"):
        read_text_table(tmp_path / "x.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_end_as_any_system_ends_them_and_cells_keep_their_breaks(
    tmp_path: Path, end: str
) -> None:
    lines = ("\ufefftext;label", f'"one{end}two\u2028three";a', "", "four;b", "")
    (tmp_path / "x.csv").write_bytes(end.join(lines).encode())
    table = read_text_table(tmp_path / "x.csv")
    assert table.columns == ["text", "label"]
    assert table.rows == [(3, [f"one{end}two\u2028three", "a"]), (5, ["four", "b"])]


def test_a_table_of_texts_may_have_one_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('summary\n"lovely, great fun"\n\nawful\n')
    assert open_table(path).column("summary") == ["lovely, great fun", "awful"]
    path.write_text("summary\nawful\nlovely, great fun\n")
    with pytest.raises(DataError, match=r"line 3: 2 cells.*between quotation marks"):
        open_table(path)


def test_messages_speak_of_what_the_rows_are(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("value\n1\n")
    with pytest.raises(DataError, match=r"1 columns and 1 rows.*2 to .* one for each image"):
        read_text_table(path)
    with pytest.raises(DataError, match="one for each series or step of one"):
        read_series(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"0 columns and 0 rows.*1 to .* one for each text"):
        open_table(path)


@pytest.mark.parametrize(
    ("name", "separator", "remedy"),
    [
        ("a.csv", ",", "commas between quotation marks"),
        ("a.csv", ";", "semicolons between quotation marks"),
        ("a.tsv", "\t", "tabs within texts by blanks"),
    ],
)
def test_a_row_with_more_cells_than_names_is_refused_as_its_cells_are_in_wrong_columns(
    tmp_path: Path, name: str, separator: str, remedy: str
) -> None:
    path = tmp_path / name
    rows_of_cells = [["text", "label"], ["fine", "a", "", " "], ["Hello", "world", "b"]]
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows_of_cells))
    with pytest.raises(DataError, match=f"line 3: 3 cells.* 2 names; 1 of 2 rows.*{remedy}"):
        open_table(path)
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows_of_cells[:2]))
    assert open_table(path).column("label") == ["a"]
