"""Image sets in several Parquet files: their labels are those of one set."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resnext.data.sets.table.load import load_table
from resnext.data.split import Split
from resnext.errors import DataError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _write(path: Path, start: int = 0, **labels: list[Any]) -> None:
    """Write a file of images, whose content is their number."""
    path.parent.mkdir(exist_ok=True)
    num = len(next(iter(labels.values())))
    images = [f"{start + row}".encode() for row in range(num)]
    pq.write_table(pa.table({"image": images, **labels}), path)


def _contents(split: Split) -> list[int]:
    assert split.files is not None
    return [int(split.files.path(index).read_bytes()) for index in range(len(split))]


def test_no_file_needs_all_classes(tmp_path: Path) -> None:
    _write(tmp_path / "train-00000-of-00002.parquet", label=["a", "a", "b", "b"])
    _write(tmp_path / "train-00001-of-00002.parquet", 4, label=["b", "c", "c", "d", "d"])
    _write(tmp_path / "validation.parquet", label=["d", "a"])
    data = load_table(tmp_path, 0.1)
    assert data.info.classes == ("a", "b", "c", "d")
    assert data.train.targets_n.tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3]
    assert data.val.targets_n.tolist() == [3, 0]


def test_a_file_in_which_each_image_has_one_label_has_labels_like_the_others(
    tmp_path: Path,
) -> None:
    _write(tmp_path / "train.parquet", label=["a|b", "a", "b"])
    _write(tmp_path / "validation.parquet", label=["a", "b"])
    data = load_table(tmp_path, 0.1)
    assert data.info.targets == "labels"
    assert data.val.targets_n.tolist() == [[1, 0], [0, 1]]


def test_a_label_that_a_file_does_not_have_is_still_one(tmp_path: Path) -> None:
    _write(tmp_path / "train.parquet", red=[1, 1, 0], ripe=[1, 0, 1], rare=[0, 1, 0])
    _write(tmp_path / "validation.parquet", red=[1, 0], ripe=[0, 0], rare=[0, None])
    data = load_table(tmp_path, 0.1)
    assert data.info.classes == ("red", "ripe", "rare")
    assert data.val.targets_n.tolist() == [[1, 0, 0], [0, 0, -1]]


def test_a_test_file_with_hidden_labels_does_not_stop_the_others(tmp_path: Path) -> None:
    _write(tmp_path / "train.parquet", label=["a", "a", "b", "b"])
    _write(tmp_path / "test.parquet", label=["", ""])
    data = load_table(tmp_path, 0.1)
    assert data.test is None
    assert len(data.train) == 2


def test_a_file_without_the_columns_of_the_others_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "train.parquet", label=["a", "b"])
    _write(tmp_path / "validation.parquet", other=["a", "b"])
    with pytest.raises(DataError, match=r"validation\.parquet: has no column 'label'"):
        load_table(tmp_path, 0.1)


def test_the_split_stays_where_the_files_were_copied(tmp_path: Path) -> None:
    chosen = []
    for name, time_s in (("here", 1_600_000_000), ("there", 1_700_000_000)):
        for part in range(2):
            path = tmp_path / name / f"train-{part:05}-of-00002.parquet"
            _write(path, 40 * part, label=["a", "b"] * 20)
            os.utime(path, (time_s, time_s))
        chosen.append(_contents(load_table(tmp_path / name, 0.1).val))
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 8
