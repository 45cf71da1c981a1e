"""Tables as data sets: found by --data, with splits, from text and Parquet."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.data.split import DataSet
from resnext.errors import ConfigError, DataError


def _names(data: DataSet, split: str) -> list[str]:
    files = getattr(data, split)
    assert isinstance(files, FileSplit)
    return list(files.names)


def _kaggle(root: Path, num: int = 20) -> Path:
    """Lay a set out as Kaggle does: train.csv with numbers, and a folder of images."""
    (root / "train").mkdir(parents=True)
    rows = []
    for number in range(num):
        (root / f"train/{number:03}.jpg").touch()
        rows.append(f"{number:03},{'cat' if number % 2 else 'dog'}")
    (root / "train.csv").write_text("id,breed\n" + "\n".join(rows) + "\n")
    (root / "sample_submission.csv").write_text("id,breed\n000,dog\n")
    return root


def test_a_table_beside_a_folder_is_found(tmp_path: Path) -> None:
    config = parse_data(str(_kaggle(tmp_path)))
    assert (config.name, config.root) == ("table", tmp_path / "train.csv")
    data = load_data(config)
    assert data.info.classes == ("cat", "dog")
    assert (len(data.train), len(data.val), data.test) == (18, 2, None)
    assert sorted(data.val.targets_n.tolist()) == [0, 1]


def test_class_folders_come_before_a_table(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert parse_data(str(tmp_path)).name == "folder"


def test_the_tables_own_splits_are_kept(tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / f"{name}.png").touch()
    table = tmp_path / "all.tsv"
    splits = ("train", "train", "val", "val", "test", "train")
    rows = (f"{n}.png\t{n in 'ace'}\t{split}" for n, split in zip("abcdef", splits, strict=True))
    table.write_text("file\tlabel\tsplit\n" + "\n".join(rows) + "\n")
    data = load_data(parse_data(str(table)))
    assert _names(data, "train") == ["a.png", "b.png", "f.png"]
    assert _names(data, "val") == ["c.png", "d.png"]
    assert _names(data, "test") == ["e.png"]
    whole = load_data(DataConfig(name="table", root=table, val_fraction=1.0))
    assert _names(whole, "val") == ["c.png", "d.png"]


def test_a_table_without_splits_is_evaluated_whole(tmp_path: Path) -> None:
    data = load_data(parse_data(str(_kaggle(tmp_path)), is_whole=True))
    assert (len(data.train), len(data.val)) == (0, 20)


def test_files_of_the_hub_are_one_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    (folder / "data").mkdir(parents=True)
    for part, (name, labels) in enumerate(
        {
            "train-00000-of-00002": ["b", "a", "a"],
            "train-00001-of-00002": ["a", "b"],
            "test-00000-of-00001": ["b"],
        }.items()
    ):
        images = [{"bytes": bytes([part, n]), "path": None} for n in range(len(labels))]
        pq.write_table(
            pa.table({"image": images, "label": labels}), folder / f"data/{name}.parquet"
        )
    config = parse_data(str(folder))
    assert (config.name, config.root) == ("table", folder)
    data = load_data(config.replace(val_fraction=0.4))
    assert data.info.classes == ("a", "b")
    assert (len(data.train), len(data.val)) == (3, 2)
    assert isinstance(data.test, FileSplit)
    assert (data.test.root / data.test.names[0]).read_bytes() == bytes([2, 0])


def test_settings_of_tables_belong_to_tables(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="label_column is for name='table' only"):
        DataConfig(name="folder", root=tmp_path, label_column="x")
    config = DataConfig(name="table", root=_kaggle(tmp_path) / "train.csv", label_column="x")
    with pytest.raises(DataError, match=r"data\.label_column='x': the table has no such column"):
        load_data(config)


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="contains no Parquet file named like a split"):
        load_data(DataConfig(name="table", root=tmp_path))
