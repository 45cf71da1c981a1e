from __future__ import annotations

import io
import os
import tarfile
import zlib
from pathlib import Path

import pytest
from nonempty import nonempty
from packed_trees import NUM_TRAIN, NUM_VAL

from resnext.data.shards.check import Damage, check
from resnext.data.shards.layout import Index, read_index, write_index
from resnext.data.shards.table import ShardTable
from resnext.download import sha256_of
from resnext.errors import DataError

pytest_plugins = ["shard_fixtures"]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_packed_is_found_whole(packed: Path, workers: int) -> None:
    checked = check(packed, workers)
    index = read_index(packed)
    assert checked.damage == ()
    assert checked.num_samples == NUM_TRAIN + NUM_VAL
    assert checked.num_shards == sum(len(split.shards) for split in index.splits.values())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_flipped_bit_is_named_by_shard_and_sample(packed: Path, workers: int) -> None:
    table = ShardTable(packed, "train")
    shards = [f"train-{int(table[index]['shard']):06}.tar" for index in (4, 9)]
    for shard, index in zip(shards, (4, 9), strict=True):
        flip(packed / shard, int(table[index]["offset"]) + 20)
    assert {(one.file, one.sample) for one in check(packed, workers).damage} == {
        (shards[0], table.name(4)),
        (shards[1], table.name(9)),
    }


def test_a_bit_outside_the_samples_is_found_by_the_hash(packed: Path) -> None:
    flip(packed / "train-000001.tar", 0)
    damage = Damage("train-000001.tar", "is damaged, but not within a sample")
    assert check(packed, 1).damage == (damage,)


def test_a_missing_and_a_torn_shard_are_named(packed: Path) -> None:
    (packed / "val-000000.tar").unlink()
    os.truncate(packed / "train-000000.tar", 3000)
    damage = check(packed, 1).damage
    assert damage[-1] == Damage("val-000000.tar", "is missing")
    assert {one.file for one in damage[:-1]} == {"train-000000.tar"}
    assert any("ends within" in one.reason for one in damage)


@pytest.mark.parametrize("name", ["train.rows.npy", "val.names.npy"])
def test_a_damaged_table_is_named(packed: Path, name: str) -> None:
    flip(packed / name, -1)
    assert check(packed, 1).damage == (Damage(name, "its SHA-256 differs from the index"),)
    (packed / name).unlink()
    assert check(packed, 1).damage == (Damage(name, "is missing"),)


def change_split(index: Index, **changes: object) -> Index:
    split = index.splits["val"].model_copy(update=changes)
    return index.model_copy(update={"splits": {**index.splits, "val": split}})


def test_a_wrong_count_in_the_index_is_found(packed: Path) -> None:
    write_index(packed, change_split(read_index(packed), num_samples=NUM_VAL - 1))
    with pytest.raises(DataError, match="a split of 19 images has shards of 20 together"):
        check(packed, 1)


def test_a_sample_that_is_no_image_is_found_even_where_all_hashes_agree(packed: Path) -> None:
    """As after a hand-made change: the hashes prove only that nothing changed since."""
    index, table = read_index(packed), ShardTable(packed, "val")
    rows = table[:].copy()
    row = rows[3]
    name = f"val-{int(row['shard']):06}.tar"
    text = b"x" * int(row["size"])
    content = bytearray((packed / name).read_bytes())
    content[int(row["offset"]) : int(row["offset"]) + len(text)] = text
    (packed / name).write_bytes(content)
    rows["crc32"][3] = zlib.crc32(text)
    with (packed / "val.rows.npy").open("r+b") as file:
        file.seek(-rows.nbytes, io.SEEK_END)
        file.write(rows.tobytes())
    shards = tuple(
        shard.model_copy(update={"sha256": sha256_of(packed / shard.name)})
        for shard in index.splits["val"].shards
    )
    rows_sha256 = sha256_of(packed / "val.rows.npy")
    write_index(packed, change_split(index, shards=shards, rows_sha256=rows_sha256))
    (damage,) = check(packed, 1).damage
    assert (damage.file, damage.sample) == (name, table.name(3))


def test_a_folder_that_is_not_packed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a packed data set"):
        check(tmp_path, 1)


def test_every_shard_opens_with_pythons_tarfile(packed: Path) -> None:
    for path in nonempty(packed.glob("*.tar")):
        with tarfile.open(path) as tar:
            assert all(member.isfile() and member.mtime == 0 for member in tar)
