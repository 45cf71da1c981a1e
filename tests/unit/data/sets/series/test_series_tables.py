"""Tables of series as programs write them: numbered rows, and series without a class."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from resnext.data.config import DataConfig
from resnext.data.sets.series.load import load_series
from resnext.data.sets.series.read import read_series
from resnext.data.sets.series.table import read_series_table
from resnext.errors import DataError
from resnext.model.signal_columns import SignalColumns

WIDE = "label,t0,t1,t2,split\na,1,2,3,train\nb,4,5,,train\na,7,8,9,test\n"
LONG = "id,time,label,x,y\n1,1,a,10,20\n2,0,b,5,6\n1,0,a,30,40\n2,1,b,7,8\n"


def _values(series: np.ndarray) -> list[list[float]]:
    return [[float(value) for value in channel] for channel in series]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "Unnamed: 0.1", "index"])
@pytest.mark.parametrize("numbers", [(0, 1, 2), (1, 2, 3), (17, 4, 9), (0, 1, 0)])
def test_a_column_that_numbers_the_rows_is_no_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, numbers: tuple[int, ...]
) -> None:
    lines = [f"{name},{WIDE.splitlines()[0]}"]
    lines += [f"{n},{row}" for n, row in zip(numbers, WIDE.splitlines()[1:], strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    splits = read_series_table(tmp_path / "x.csv", SignalColumns())
    assert [_values(one) for one in splits["train"].series] == [[[1, 2, 3]], [[4, 5]]]
    assert f"left out the column {name!r}, which numbers the rows" in caplog.text


def test_row_numbers_are_no_channel_and_may_be_the_time(tmp_path: Path) -> None:
    header, *rows = LONG.splitlines()
    numbered = "\n".join([f",{header}", *(f"{n},{row}" for n, row in enumerate(rows))])
    (tmp_path / "x.csv").write_text(numbered)
    raw = read_series_table(tmp_path / "x.csv", SignalColumns())["all"]
    assert [one.shape for one in raw.series] == [(2, 2), (2, 2)]
    (tmp_path / "y.csv").write_text(LONG.replace("id,time", "id,index"))
    raw = read_series_table(tmp_path / "y.csv", SignalColumns())["all"]
    assert _values(raw.series[0]) == [[30, 10], [40, 20]]


@pytest.mark.parametrize(
    ("name", "cells"),
    [("", "0.5,1,2"), ("", "5,5,7"), ("", ",1,2"), ("", "-1,0,1"), ("t", "0,1,2")],
)
def test_other_columns_are_values_even_without_a_name(
    tmp_path: Path, name: str, cells: str
) -> None:
    rows = [f"a,{cell},8" for cell in cells.split(",")]
    (tmp_path / "x.csv").write_text("\n".join([f"label,{name},t1", *rows]))
    raw = read_series_table(tmp_path / "x.csv", SignalColumns())["all"]
    assert [one.shape for one in raw.series] == [(1, 2)] * 3


def test_the_index_that_pandas_writes_to_parquet_is_no_value(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {"label": ["a", "b"], "t0": [1.0, 2.0], "__index_level_0__": [7, 3]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    raw = read_series_table(tmp_path / "x.parquet", SignalColumns())["all"]
    assert [_values(one) for one in raw.series] == [[[1]], [[2]]]


@pytest.mark.parametrize("name", ["None", "nan", "NaN", "null"])
def test_any_word_is_a_class(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"label,t0,t1\nfall,1,2\n{name},3,4\n1,5,6\n")
    raw = read_series(path)["all"]
    assert raw.labels == ["fall", name, "1"]
    assert raw.classes == ("1", *sorted(["fall", name]))


def _unlabelled(folder: Path, kind: str) -> Path:
    """Write seven series, of which those of number 1 and 5 have no class."""
    labels = [None if number in (1, 5) else "ab"[number % 2] for number in range(7)]
    values = [[float(number), 1.0] for number in range(7)]
    path = folder / f"x.{kind}"
    if kind == "csv":
        rows = [
            f"{label or ''},{first},{second}"
            for label, (first, second) in zip(labels, values, strict=True)
        ]
        path.write_text("\n".join(["label,t0,t1", *rows]))
    elif kind == "npz":
        np.savez(path, X=values, y=[math.nan if one is None else "ab".index(one) for one in labels])
    else:
        pa = pytest.importorskip("pyarrow")
        pq = pytest.importorskip("pyarrow.parquet")
        columns = {"label": labels, "t0": [one for one, _ in values], "t1": [1.0] * 7}
        pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_series_without_a_class_are_left_out_and_the_others_keep_their_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = _unlabelled(tmp_path, kind)
    whole = load_series(path, DataConfig(name="series", root=path, val_fraction=1.0)).val
    assert [whole.name(index) for index in range(5)] == [
        f"{path.name}[{n}]" for n in (0, 2, 3, 4, 6)
    ]
    assert whole.targets_n.tolist() == [0, 0, 1, 0, 0]
    assert "left out 2 of 7 series, which have no class, such as series" in caplog.text
    assert len(read_series(path)["all"].series) == 7  # predict needs no class


def test_a_test_split_without_classes_is_left_out_and_another_refused(tmp_path: Path) -> None:
    rows = ["a,1,2,train", "b,3,4,train", "a,5,6,val", ",7,8,test"]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["label,t0,t1,split", *rows]))
    assert load_series(path, DataConfig(name="series", root=path)).test is None
    path.write_text("\n".join(["label,t0,t1,split", *rows]).replace("a,5", ",5"))
    with pytest.raises(DataError, match="split val: no series has a class"):
        load_series(path, DataConfig(name="series", root=path))


def test_rows_that_do_not_say_their_series_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(LONG + ",0,a,11,12\n,1,a,13,14\n")
    (raw,) = read_series_table(path, SignalColumns()).values()
    assert [_values(one) for one in raw.series] == [
        [[30, 10], [40, 20]],
        [[5, 7], [6, 8]],
    ]
    assert "left out 2 of 6 rows without a value in the column 'id', such as row 5" in caplog.text


def test_missing_ids_do_not_make_a_wide_table_long(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("id,label,t0,t1\n7,a,1,2\n,b,3,4\n,a,5,6\n")
    (raw,) = read_series_table(path, SignalColumns()).values()
    assert [_values(one) for one in raw.series] == [[[1, 2]], [[3, 4]], [[5, 6]]]
