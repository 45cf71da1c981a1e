import json
import multiprocessing
import os
import signal
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from resnext.errors import ConfigError, DataError, RunError
from resnext.evaluation.feature_file import FeatureRows, Written, check_pyarrow, write_features

parquet = pytest.importorskip("pyarrow.parquet")

CLASSES = ("cat", "dog", "hen")
DIMENSION = 8


def make_rows(num: int, start: int = 0, split: str = "val") -> FeatureRows:
    """Return rows whose embeddings say their numbers."""
    numbers = np.arange(start, start + num)
    features = numbers[:, None] + np.linspace(0.0, 0.5, DIMENSION)
    return FeatureRows(split, numbers.tolist(), numbers % 3, features.astype(np.float32))


def write(path: Path, parts: list[FeatureRows], **options: int) -> Written:
    return write_features(path, parts, classes=CLASSES, metadata={"card": {"a": 1}}, **options)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "f.parquet"
    parts = [make_rows(5, split="train"), make_rows(3, start=5)]
    assert write(file, parts) == Written(8, DIMENSION)
    table = parquet.read_table(file)
    assert table.column_names == ["index", "label", "class", "split", "embedding"]
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[8]"
    assert table["index"].to_pylist() == list(range(8))
    assert table["label"].to_pylist() == [number % 3 for number in range(8)]
    assert table["class"].to_pylist() == [CLASSES[number % 3] for number in range(8)]
    assert table["split"].to_pylist() == ["train"] * 5 + ["val"] * 3
    expected = np.concatenate([part.features_bd for part in parts])
    assert np.array_equal(np.array(table["embedding"].to_pylist(), dtype=np.float32), expected)
    assert json.loads(table.schema.metadata[b"card"]) == {"a": 1}


def test_images_in_files_have_their_path(tmp_path: Path) -> None:
    rows = make_rows(2)
    named = FeatureRows("val", ["a/ä.png", "a/\udcff.png"], rows.labels_b, rows.features_bd)
    write(tmp_path / "f.parquet", [named])
    paths = parquet.read_table(tmp_path / "f.parquet")["path"].to_pylist()
    assert paths[0] == "a/ä.png"
    assert paths[1].endswith(".png")  # its bytes are no text, and are no reason to fail


def test_classes_of_any_name_can_be_written(tmp_path: Path) -> None:
    """A class folder may have a name that is no text."""
    names = ("ä", "\udcff", "x" * 5000)
    write_features(
        tmp_path / "f.parquet", [make_rows(3)], classes=names, metadata={"classes": names}
    )
    table = parquet.read_table(tmp_path / "f.parquet")
    found = table["class"].to_pylist()
    assert (found[0], found[2]) == (names[0], names[2])
    assert json.loads(table.schema.metadata[b"classes"]) == list(names)


@pytest.mark.parametrize("rows_of_part", [1, 4, 7, 30])
def test_a_row_group_has_a_bounded_number_of_rows(tmp_path: Path, rows_of_part: int) -> None:
    parts = [make_rows(rows_of_part, start) for start in range(0, 60, rows_of_part)]
    num = write(tmp_path / "f.parquet", parts, group_bytes=10 * DIMENSION * 4).num_rows
    metadata = parquet.ParquetFile(tmp_path / "f.parquet").metadata
    sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert max(sizes) <= 10
    assert sum(sizes) == num == sum(len(part.keys) for part in parts)
    assert len(sizes) <= -(-60 // 10) * 2  # and they are not needlessly small


@pytest.mark.parametrize("num_parts", [25, 100])
def test_no_more_rows_are_held_than_a_group_and_a_part(tmp_path: Path, num_parts: int) -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most_alive = 0

    def parts() -> Iterator[FeatureRows]:
        nonlocal most_alive
        for number in range(num_parts):
            most_alive = max(most_alive, sum(reference() is not None for reference in alive))
            rows = make_rows(5, start=5 * number)
            alive.append(weakref.ref(rows.features_bd))
            yield rows

    written = write_features(
        tmp_path / "f.parquet",
        parts(),
        classes=CLASSES,
        metadata={},
        group_bytes=20 * DIMENSION * 4,
    )
    assert written.num_rows == 5 * num_parts
    # Four parts make a group; two more are in the hands of the writer and its source.
    assert most_alive <= 6


def test_no_row_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no image to embed"):
        write(tmp_path / "f.parquet", [])
    assert list(tmp_path.iterdir()) == []


def test_an_error_on_the_way_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "f.parquet"
    file.write_text("old", encoding="utf-8")

    def parts() -> Iterator[FeatureRows]:
        yield make_rows(5)
        raise DataError("a bad file")

    with pytest.raises(DataError, match="a bad file"):
        write_features(file, parts(), classes=CLASSES, metadata={}, group_bytes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]
    assert file.read_text(encoding="utf-8") == "old"


def test_a_place_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot write .*; free disk space or choose another --out"):
        write(tmp_path / "none" / "f.parquet", [make_rows(2)])


def kill_while_writing(file: str) -> None:
    def parts() -> Iterator[FeatureRows]:
        yield make_rows(500)
        os.kill(os.getpid(), signal.SIGKILL)

    write_features(Path(file), parts(), classes=CLASSES, metadata={}, group_bytes=1000)


def test_a_kill_leaves_no_half_file_at_the_name(tmp_path: Path) -> None:
    file = tmp_path / "f.parquet"
    process = multiprocessing.get_context("spawn").Process(
        target=kill_while_writing, args=(str(file),)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not file.exists()
    write(file, [make_rows(2)])  # and what it left behind is in nobody's way
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]


def test_a_missing_pyarrow_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ConfigError, match=r"pip install 'resnext\[features\]'"):
        check_pyarrow()
