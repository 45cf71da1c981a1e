"""The other files of series: a class before the values, arrays, tables."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from made_series import write_waves

from resnext.data.config import DataConfig
from resnext.data.sets.series.arrays import read_series_arrays
from resnext.data.sets.series.label_first import read_label_first
from resnext.data.sets.series.load import load_series
from resnext.data.sets.series.read import read_series
from resnext.data.sets.series.table import read_series_table
from resnext.data.signals.split import SignalSplit
from resnext.errors import ConfigError, DataError
from resnext.model.signal_columns import SignalColumns


def _values(series: np.ndarray) -> list[list[float]]:
    return [[float(value) for value in channel] for channel in series]


@pytest.mark.parametrize("text", ["1\t0.5\t2\n-1\t3\t4\tNaN\n", "1,0.5,2\n-1,3,4\n"])
def test_a_class_before_the_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(text)
    raw = read_label_first(path)
    assert (raw.labels, raw.classes) == (["1", "-1"], ("-1", "1"))
    assert [_values(one) for one in raw.series] == [[[0.5, 2.0]], [[3.0, 4.0]]]


def test_the_old_files_with_spaces_and_real_numbers_as_classes(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("   2.0000000e+00   1.5e+00  -3\n   1.0000000e+00   1  2\n")
    raw = read_label_first(path)
    assert (raw.labels, raw.classes) == (["2", "1"], ("1", "2"))
    assert _values(raw.series[0]) == [[1.5, -3.0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("1\n", "line 1"), ("1,2\n1,x\n", "line 2: 'x' is not a number")],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_label_first(path)


def test_arrays_of_one_or_several_channels_and_splits(tmp_path: Path) -> None:
    x_nct = np.arange(12.0).reshape(2, 2, 3)
    np.savez(tmp_path / "a.npz", X=x_nct, y=np.array(["b", "a"]))
    raw = read_series_arrays(tmp_path / "a.npz")["all"]
    assert (raw.labels, raw.classes) == (["b", "a"], ("a", "b"))
    np.testing.assert_array_equal(np.stack(raw.series), x_nct)
    np.savez(
        tmp_path / "b.npz",
        X_train=x_nct[:, 0],
        y_train=[0, 1],
        X_test=x_nct[:, 1],
        y_test=[[1], [1]],
    )
    splits = read_series_arrays(tmp_path / "b.npz")
    assert {name: raw.labels for name, raw in splits.items()} == {
        "train": ["0", "1"],
        "test": ["1", "1"],
    }
    assert splits["test"].series[0].shape == (1, 3)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"z": np.zeros(2)}, "accepted are X"),
        ({"X": np.zeros((2, 3)), "y": np.zeros(3)}, "3 classes for 2 series"),
        ({"X": np.zeros((2, 3, 4, 5))}, r"of shape \(2, 3, 4, 5\)"),
        ({"X": np.array(["a", "b"]).reshape(2, 1)}, "accepted are numbers"),
        ({"X": np.array([[np.inf]]), "y": np.zeros(1)}, "infinite"),
        ({"X": np.array([[None]], dtype=object)}, "accepted are numbers and texts"),
        ({"train_images": np.zeros((2, 3))}, "volume:FILE"),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], words: str
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=words):
        read_series_arrays(tmp_path / "x.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x00" * 100])
def test_a_file_that_is_no_archive_is_one_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"no whole \.npz file"):
        read_series_arrays(tmp_path / "x.npz")


def test_an_array_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "x.npz", X=np.zeros((100, 100)), y=np.zeros(100))
    monkeypatch.setattr("resnext.data.sets.series.arrays.MAX_SIGNAL_VALUES", 9_999)
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(DataError, match="10,000 values, more than the 9,999 accepted"):
        read_series_arrays(tmp_path / "x.npz")


WIDE = "label,t0,t1,t2,split\na,1,2,3,train\nb,4,5,,train\na,7,8,9,test\n"
LONG = "id,time,label,x,y\n1,1,a,10,20\n2,0,b,5,6\n1,0,a,30,40\n2,1,b,7,8\n"


def test_a_row_for_each_series(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(WIDE)
    splits = read_series_table(tmp_path / "x.csv", SignalColumns())
    assert list(splits) == ["train", "test"]
    assert [_values(one) for one in splits["train"].series] == [[[1, 2, 3]], [[4, 5]]]
    assert splits["test"].labels == ["a"]


def test_a_row_for_each_step_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(LONG)
    raw = read_series_table(tmp_path / "x.csv", SignalColumns())["all"]
    assert raw.labels == ["a", "b"]
    assert [_values(one) for one in raw.series] == [[[30, 10], [40, 20]], [[5, 7], [6, 8]]]


def test_columns_can_be_named(tmp_path: Path) -> None:
    text = LONG.replace("id,time,label", "who,when,what")
    (tmp_path / "x.csv").write_text(text)
    raw = read_series_table(
        tmp_path / "x.csv", SignalColumns(label="what", series="who", time="when")
    )["all"]
    assert _values(raw.series[0]) == [[30, 10], [40, 20]]
    with pytest.raises(DataError, match=r"data\.time_column='no'.*'who', 'when', 'what', 'x', 'y'"):
        read_series_table(tmp_path / "x.csv", SignalColumns(time="no"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WIDE.replace("5,,", "five,,"), "column 't1', row 2: 'five' is not a number"),
        (WIDE.replace("test\n", "later\n"), "the split 'later'"),
        (LONG.replace("2,1,b", "2,1,a"), "series '2': the column 'label' has 'a', 'b'; give one"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_series_table(tmp_path / "x.csv", SignalColumns())


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    table = pa.table({"label": ["a", "b"], "t0": [1.0, 2.0], "t1": [3.0, None]})
    pq.write_table(table, tmp_path / "x.parquet")
    raw = read_series_table(tmp_path / "x.parquet", SignalColumns())["all"]
    assert [_values(one) for one in raw.series] == [[[1, 3]], [[2]]]


def test_the_test_file_is_found_beside_that_of_training(tmp_path: Path) -> None:
    path = write_waves(tmp_path)
    assert {name: len(raw.series) for name, raw in read_series(path).items()} == {
        "train": 24,
        "test": 16,
    }
    path.rename(tmp_path / "Restrained.ts")
    assert list(read_series(tmp_path / "Restrained.ts")) == ["all"]


def test_another_ending_is_refused_with_those_accepted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.ts, \.tsv, \.txt, \.npz, \.csv, \.parquet"):
        read_series(tmp_path / "x.wav")


def test_a_set_has_one_length_and_the_statistics_of_training(tmp_path: Path) -> None:
    path = write_waves(tmp_path, vary=3)
    data = load_series(path, DataConfig(name="series", root=path))
    signal = data.info.signal
    assert signal is not None
    assert (signal.size, data.info.image_size_px, data.info.classes) == (35, 35, ("slow", "fast"))
    assert isinstance(data.train, SignalSplit)
    values = data.train.values_ncx.double()
    assert signal.mean[0] == pytest.approx(float(values.mean()), abs=1e-6)
    assert signal.std[0] == pytest.approx(float(values.std(correction=0)), rel=1e-5)
    assert (len(data.train), len(data.val), data.test) == (24, 16, None)
    assert data.val.name(3) == "Waves_TEST.ts[3]"


def test_a_file_alone_is_split_by_a_hash_or_taken_whole(tmp_path: Path) -> None:
    path = write_waves(tmp_path)
    (tmp_path / "Waves_TEST.ts").unlink()
    config = DataConfig(name="series", root=path, val_fraction=0.25)
    data = load_series(path, config)
    assert (len(data.train), len(data.val)) == (18, 6)
    assert data.val.targets_n.sum() == 3
    whole = load_series(path, config.replace(val_fraction=1.0))
    assert (len(whole.train), len(whole.val)) == (0, 24)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@classLabel false\n@data\n1,2\n3,4\n", "have no classes"),
        ("@classLabel true a\n@data\n1,2:a\n3,4:a\n", "at least two classes"),
    ],
)
def test_a_set_without_two_classes_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.ts"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        load_series(path, DataConfig(name="series", root=path))


def test_one_long_series_does_not_make_all_of_them_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_waves(tmp_path)
    monkeypatch.setattr("resnext.data.signals.prepare.MAX_SIGNAL_VALUES", 24 * 32 - 1)
    with pytest.raises(DataError, match=r"data\.length=N"):
        load_series(path, DataConfig(name="series", root=path))


@pytest.mark.parametrize(
    "changes",
    [
        {"image_size_px": 8},
        {"mean": (0.5,)},
        {"group": "x"},
        {"label_separator": "|"},
        {"name": "folder", "length": 3},
        {"name": "digits", "root": None, "normalise": "series"},
        {"root": None},
    ],
)
def test_settings_without_effect_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    config = DataConfig(name="series", root=tmp_path / "x.ts")
    with pytest.raises(ConfigError):
        config.replace(**changes)


def test_missing_values_stay_marked(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text("@classLabel true a b\n@data\n1,?,3:a\n?,?:b\n")
    raw = read_series(tmp_path / "x.ts")["all"]
    assert [math.isnan(value) for value in raw.series[0][0]] == [False, True, False]
