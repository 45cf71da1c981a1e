"""Image sets in Parquet files."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resnext.data.sets.table.parquet import find_parquet, load_parquet
from resnext.errors import DataError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _hub_file(path: Path, images: list[bytes | None], labels: list[int | None]) -> Path:
    """Write a file as the Hub's `datasets` library does."""
    image = pa.array([{"bytes": data, "path": "../x.png"} for data in images])
    table = pa.table({"image": image, "label": pa.array(labels, pa.int64())})
    features = {"image": {"_type": "Image"}, "label": {"names": ["zebra", "ape"]}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_the_hubs_layout_is_read_with_its_class_names(tmp_path: Path) -> None:
    found = load_parquet(_hub_file(tmp_path / "train.parquet", [b"one", b"two", b"3"], [1, 0, 1]))
    assert found.classes == ("zebra", "ape")  # the Hub's order, not the alphabet's
    assert found.files.targets_n.tolist() == [1, 0, 1]
    contents = [(found.files.root / name).read_bytes() for name in found.files.names]
    assert contents == [b"one", b"two", b"3"]


def test_images_are_written_once_and_again_when_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    first = load_parquet(_hub_file(path, [b"one"], [1])).files.root
    assert load_parquet(path).files.root == first
    second = load_parquet(_hub_file(path, [b"another"], [1])).files.root
    assert second != first
    assert (second / "00000/00000000").read_bytes() == b"another"


def test_rows_without_image_or_label_are_named(tmp_path: Path) -> None:
    path = _hub_file(tmp_path / "a.parquet", [b"one", None, b"3", b"4"], [1, 0, None, 7])
    assert load_parquet(path).bad_rows == {
        1: "contains no image",
        2: "has no label",
        3: "has no label",
    }


def test_shards_are_found_by_split(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    names = ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001", "odd_1")
    for name in names:
        (tmp_path / "data" / f"{name}.parquet").touch()
    found = find_parquet(tmp_path)
    assert {split: len(paths) for split, paths in found.items()} == {"train": 2, "val": 1}


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(DataError, match=r"x\.parquet is not a Parquet file"):
        load_parquet(path)
