from __future__ import annotations

import itertools
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loaders import EVERYTHING, assert_same, eval_loader, train_loader
from packed_trees import NUM_TRAIN, open_tree

from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig, ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.data.shards import reader as reader_module
from resnext.data.shards.layout import is_packed
from resnext.data.shards.split import ShardSplit
from resnext.data.shards.table import BYTES_PER_ROW, ROW, ShardTable, write_table
from resnext.data.split import DataSet, Split
from resnext.errors import ConfigError, DataError

pytest_plugins = ["shard_fixtures"]

CPU = torch.device("cpu")


def open_both(packed: Path, **options: Any) -> tuple[DataSet, DataSet]:
    """Open the folder that was packed, and its shards."""
    folder = DataConfig(name="folder", root=packed.with_name("photos"), image_size_px=24)
    shards = DataConfig(name="shards", root=packed, image_size_px=24)
    return load_data(folder.replace(**options)), load_data(shards.replace(**options))


def epoch_of(data: DataSet, number: int, first_step: int = 0, **options: Any) -> list[Batch]:
    loader = train_loader(data.train, data.info, EVERYTHING, batch_size=15, **options)
    return list(loader.epoch(number, first_step))


def names_of(split: Split) -> list[str]:
    return [split.name(index) for index in range(len(split))]


def shards_of(data: DataSet) -> ShardSplit:
    assert isinstance(data.train, ShardSplit)
    return data.train


@pytest.mark.parametrize("workers", [0, 2])
def test_training_batches_are_those_of_the_folder_bit_for_bit(packed: Path, workers: int) -> None:
    folder, shards = open_both(packed)
    for epoch in range(2):
        expected = epoch_of(folder, epoch)
        assert_same(expected, epoch_of(shards, epoch, workers=workers))


@pytest.mark.parametrize("workers", [0, 2])
def test_evaluation_batches_are_those_of_the_folder_bit_for_bit(packed: Path, workers: int) -> None:
    view = ViewConfig(flip=True)
    folder, shards = (
        list(eval_loader(data.val, data.info, view, workers=workers)) for data in open_both(packed)
    )
    assert_same(folder, shards)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_entered_in_its_middle_is_the_rest_of_the_whole_one(
    packed: Path, workers: int
) -> None:
    shards = open_both(packed)[1]
    whole = epoch_of(shards, 1)
    assert_same(whole[2:], epoch_of(shards, 1, first_step=2, workers=workers))


def test_two_processes_see_each_image_once_an_epoch(packed: Path) -> None:
    shards = open_both(packed)[1]
    ranks = [epoch_of(shards, 0, rank=rank, world_size=2) for rank in range(2)]
    seen = torch.cat([batch.indices_b for batch in itertools.chain(*ranks)])
    assert sorted(seen.tolist()) == list(range(NUM_TRAIN))
    whole = torch.cat([batch.images_bchw for batch in epoch_of(shards, 0)])
    in_order = [batch.images_bchw for step in zip(*ranks, strict=True) for batch in step]
    assert torch.equal(whole, torch.cat(in_order))


def test_chosen_classes_and_subsets_are_those_of_the_folder(packed: Path) -> None:
    folder, shards = open_both(packed, classes=("dog", "cat"), num_train=20)
    assert names_of(shards.train) == names_of(folder.train)
    assert_same(epoch_of(folder, 0), epoch_of(shards, 0))


def test_names_are_those_of_the_source(packed: Path) -> None:
    split = open_both(packed)[1].train
    assert names_of(split) == list(open_tree(packed.with_name("photos"))[1].names)
    assert split.path(3) == packed / split.name(3)


def corrupt(packed: Path, index: int) -> str:
    """Flip a bit in the middle of one training image; return its name in the source."""
    table = ShardTable(packed, "train")
    row = table[index]
    path = packed / f"train-{int(row['shard']):06}.tar"
    content = bytearray(path.read_bytes())
    content[int(row["offset"]) + int(row["size"]) // 2] ^= 1
    path.write_bytes(content)
    return f"{path}: {table.name(index)}"


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_sample_is_named_and_replaced_as_a_bad_file_is(
    packed: Path, workers: int
) -> None:
    named = corrupt(packed, 11)
    folder, shards = open_both(packed)
    path = packed.with_name("photos") / "train" / shards.train.name(11)
    path.write_bytes(path.read_bytes()[:60])
    bad = {"folder": BadFiles(NUM_TRAIN), "shards": BadFiles(NUM_TRAIN)}
    expected = epoch_of(folder, 0, bad_files=bad["folder"])
    found = epoch_of(shards, 0, bad_files=bad["shards"], workers=workers)
    assert_same(expected, found)
    assert [row["path"] for row in bad["folder"].rows] == [str(path)]
    assert [row["path"] for row in bad["shards"].rows] == [named]
    assert "damaged" in bad["shards"].rows[0]["reason"]


def num_open() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_few_descriptors_stay_open(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_MAX_OPEN", 2)
    split = shards_of(open_both(packed)[1])
    assert len({int(row["shard"]) for row in split.table}) > 2
    before = num_open()
    reader = split.reader(3)
    for _ in range(2):
        for index in range(len(split)):
            source = packed.with_name("photos") / "train" / split.name(index)
            assert reader.read(index) == source.read_bytes()
            assert num_open() <= before + 2
    del reader
    assert num_open() == before


def test_a_reader_travels_without_its_table_or_descriptors(packed: Path) -> None:
    reader = shards_of(open_both(packed)[1]).reader(3)
    content = reader.read(5)
    assert pickle.loads(pickle.dumps(reader)).read(5) == content
    assert len(pickle.dumps(reader)) < 1000 + 8 * NUM_TRAIN + 8 * NUM_TRAIN


def test_a_million_samples_take_32_bytes_each_on_disk_and_none_in_memory(tmp_path: Path) -> None:
    num = 1_000_000
    rows = np.zeros(num, dtype=ROW)
    rows["offset"] = np.arange(num) * 7
    write_table(tmp_path, "train", rows, ("ab" for _ in range(num)))
    assert BYTES_PER_ROW == 8 + 8 + 4 * 4
    size = (tmp_path / "train.rows.npy").stat().st_size
    assert 0 <= size - num * BYTES_PER_ROW <= 512
    table = ShardTable(tmp_path, "train")
    assert isinstance(table[:], np.memmap)
    assert int(table[num - 1]["offset"]) == (num - 1) * 7
    assert table.name(num - 1) == "ab"
    assert len(pickle.dumps(table)) < 500


def test_a_packed_folder_is_known_as_one(packed: Path) -> None:
    assert parse_data(str(packed)) == DataConfig(name="shards", root=packed)
    assert parse_data(f"shards:{packed}") == DataConfig(name="shards", root=packed)
    assert parse_data(str(packed.with_name("photos"))).name == "folder"


@pytest.mark.parametrize("text", ["[]", "no json", '{"format": "other"}', "\udc80"])
def test_a_folder_with_another_index_is_no_packed_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not is_packed(tmp_path)


def test_shards_need_a_folder() -> None:
    with pytest.raises(ConfigError, match="'shards' needs root=PATH"):
        DataConfig(name="shards")


def load(packed: Path) -> DataSet:
    return load_data(DataConfig(name="shards", root=packed))


@pytest.mark.parametrize("name", ["train-000001.tar", "val-000000.tar"])
@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_a_missing_or_torn_shard_is_named_before_training(
    packed: Path, name: str, damage: str
) -> None:
    path = packed / name
    if damage == "torn":
        os.truncate(path, path.stat().st_size - 1)
    else:
        path.unlink()
    with pytest.raises(DataError, match=name):
        load(packed)


@pytest.mark.parametrize("name", ["train.rows.npy", "train.names.npy"])
@pytest.mark.parametrize("content", [None, b"", b"x" * 200])
def test_a_damaged_table_is_named(packed: Path, name: str, content: bytes | None) -> None:
    (packed / name).unlink()
    if content is not None:
        (packed / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        load(packed)


@pytest.mark.parametrize("name", ["names", "rows"])
def test_a_table_of_another_split_is_refused(packed: Path, name: str) -> None:
    shutil.copy(packed / f"val.{name}.npy", packed / f"train.{name}.npy")
    with pytest.raises(DataError, match=rf"train.{name}.npy is damaged: its SHA-256 differs"):
        load(packed)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"version": 1',
            '"version": 3',
            "has version 3, but this program supports up to version 2",
        ),
        ('"classes"', '"klasses"', "is damaged or not the index"),
        ('"val": {', '"test": {', "splits.test.*should be 'train' or 'val'"),
    ],
)
def test_an_index_that_cannot_be_used_says_why(
    packed: Path, old: str, new: str, message: str
) -> None:
    text = (packed / "index.json").read_text()
    assert old in text
    (packed / "index.json").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=message):
        load(packed)


def test_a_folder_without_an_index_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="resnext pack SOURCE DEST"):
        load(tmp_path)
