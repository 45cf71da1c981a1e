from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.data.sets.series.ts_file import read_ts
from resnext.errors import DataError

HEADER = "# about\n% more\n@problemName x\n@timeStamps false\n@classLabel true a b\n@data\n"


def _write(folder: Path, text: str) -> Path:
    path = folder / "x.ts"
    path.write_text(text)
    return path


def test_channels_classes_gaps_and_unequal_lengths_are_read(tmp_path: Path) -> None:
    path = _write(tmp_path, f"{HEADER}1,2,3:4,5,?:a\n\n# a remark\n-1.5,NaN:2e1,0:b\n")
    raw = read_ts(path)
    assert raw.classes == ("a", "b")
    assert raw.labels == ["a", "b"]
    assert raw.lines == ["line 7", "line 10"]
    nan = math.nan
    np.testing.assert_array_equal(raw.series[0], np.array([[1, 2, 3], [4, 5, nan]], np.float32))
    np.testing.assert_array_equal(raw.series[1], np.array([[-1.5, nan], [20, 0]], np.float32))


def test_series_without_classes_have_no_labels(tmp_path: Path) -> None:
    raw = read_ts(_write(tmp_path, "@classLabel false\n@data\n1,2\n3,4\n"))
    assert (raw.labels, raw.classes, len(raw.series)) == ([], (), 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2:a\n", ["is not a .ts file", "@data"]),
        ("", ["is not a .ts file"]),
        (HEADER, ["no series below @data"]),
        (f"{HEADER}1,2:c\n", ["line 7", "'c'", "'a', 'b'"]),
        (f"{HEADER}1,x:a\n", ["line 7", "'x' is not a number", "?"]),
        (f"{HEADER}1,inf:a\n", ["line 7", "infinite"]),
        (f"{HEADER}1,1e300:a\n", ["line 7", "float32"]),
        (f"{HEADER}1,2:3:a\n", ["line 7", "1 to 2 values"]),
        (f"{HEADER}1,2:a\n1,2:3,4:b\n", ["line 8", "2 channel(s)", "first series has 1"]),
        (f"{HEADER}a\n", ["line 7", "a class and no values"]),
        ("@timeStamps true\n@data\n", ["line 1", "time stamps", "@timeStamps false"]),
        ("@targetLabel true\n@data\n", ["line 1", "numbers to predict", "@classLabel"]),
        ("@classLabel true a a\n@data\n", ["line 1", "each once"]),
        ("@classLabel true\n@data\n", ["line 1", "followed by the classes"]),
    ],
)
def test_a_bad_line_is_named_with_what_is_accepted(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(DataError) as error:
        read_ts(path)
    assert str(path) in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_file_that_is_no_text_or_is_missing_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "x.ts"
    path.write_bytes(b"@data\n\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8 text"):
        read_ts(path)
    with pytest.raises(DataError, match="cannot read"):
        read_ts(tmp_path / "none.ts")


def test_too_many_steps_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext.data.sets.series.raw.MAX_LENGTH", 3)
    with pytest.raises(DataError, match="4 steps; accepted are"):
        read_ts(_write(tmp_path, f"{HEADER}1,2,3,4:a\n"))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="@:,?ab1-.\n \t#dataclbel", max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.ts"
    path.write_text(text)
    try:
        raw = read_ts(path)
    except DataError:
        return
    assert raw.series


def test_the_values_are_those_of_aeon(tmp_path: Path) -> None:
    datasets = pytest.importorskip("aeon.datasets", reason="aeon is not installed")
    path = _write(tmp_path, f"{HEADER}1,2,3:4,5,6:a\n-1.5,0,1:2e1,0,7:b\n")
    values, labels = datasets.load_from_ts_file(str(path))
    raw = read_ts(path)
    np.testing.assert_array_equal(np.stack(raw.series), values.astype(np.float32))
    assert raw.labels == list(labels)
