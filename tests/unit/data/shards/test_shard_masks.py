"""Images with masks in shards: nothing is lost, and nothing in the file is trusted."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile_sets import TRAIN, change_index, put, rewrite_rows, set_value
from mask_folders import NAMES, write_shapes
from packed_trees import bytes_of
from PIL import Image
from remote_sets import use_cache
from shard_server import serve

from resnext.cli import pack as pack_verb
from resnext.data.config import DataConfig
from resnext.data.mask_split import MaskSplit
from resnext.data.sets.load import load_data
from resnext.data.sets.masks.target import has_mask_targets
from resnext.data.sets.parse import parse_data
from resnext.data.shards.check import Damage, check
from resnext.data.shards.encode import Encoding
from resnext.data.shards.layout import read_index
from resnext.data.shards.pack import PackOptions, pack
from resnext.data.shards.split import ShardSplit
from resnext.data.split import DataSet, Split
from resnext.errors import ConfigError, DataError, RunError

NUM = 40
CHUNK = ["--shard-mib", "0.01", "--workers", "1"]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masks")
    write_shapes(folder / "shapes", num=NUM)
    assert pack_verb.main([str(folder / "shapes"), str(folder / "packed"), *CHUNK]) == 0
    assert len(list((folder / "packed").glob("train-*.tar"))) > 2
    return folder


@pytest.fixture
def packed(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "trees") / "packed"


def open_set(root: Path) -> DataSet:
    return load_data(parse_data(str(root)))


def assert_same(found: Split, wanted: Split) -> None:
    assert [found.name(index) for index in range(len(found))] == [
        wanted.name(index) for index in range(len(wanted))
    ]
    assert torch.equal(found.targets_n, wanted.targets_n)
    assert found.targets_n.dtype == wanted.targets_n.dtype
    assert found.shapes_n2 is not None
    assert wanted.shapes_n2 is not None
    assert torch.equal(found.shapes_n2, wanted.shapes_n2)
    mine, theirs = found.reader(3), wanted.reader(3)
    for index in range(len(found)):
        assert mine.open(index).tobytes() == theirs.open(index).tobytes()
        assert np.array_equal(mine.mask(index), theirs.mask(index))
        assert mine.mask(index).dtype == np.uint8


def test_a_packed_set_holds_what_the_folder_holds(template: Path) -> None:
    folder, packed = open_set(template / "shapes"), open_set(template / "packed")
    assert packed.info == folder.info
    assert packed.info.classes == NAMES
    assert isinstance(packed.train, ShardSplit)
    assert isinstance(folder.train, MaskSplit)
    assert_same(packed.train, folder.train)
    assert_same(packed.val, folder.val)
    some = torch.tensor([5, 0, 9])
    assert_same(packed.train.choose(some), folder.train.choose(some))
    assert_same(packed.train.sample(7), folder.train.sample(7))


def test_the_bytes_of_a_mask_are_those_of_its_file(template: Path) -> None:
    data = open_set(template / "shapes")
    assert isinstance(data.train, MaskSplit)
    contents = set()
    for path in (template / "packed").glob("train-*.tar"):
        with tarfile.open(path) as tar:
            names = tar.getnames()
            assert [name.partition(".")[2] for name in names] == ["png", "mask.png"] * (
                len(names) // 2
            )
            for name in names[1::2]:
                file = tar.extractfile(name)
                assert file is not None
                contents.add(file.read())
    assert contents == {(data.train.root / name).read_bytes() for name in data.train.masks}


def test_values_that_the_class_list_gives_keep_their_meaning(tmp_path: Path) -> None:
    write_shapes(tmp_path / "shapes", num=10, ignored=False)
    (tmp_path / "shapes/classes.txt").write_text("7 ground\n0 disc\n200 box\n")
    for path in (tmp_path / "shapes/masks").iterdir():
        values = np.array([7, 0, 200], np.uint8)[np.asarray(Image.open(path))]
        values[0, 0] = 11
        Image.fromarray(values).save(path)
    source = DataConfig(name="masks", root=tmp_path / "shapes", ignore_value=11)
    folder = load_data(source)
    pack(folder, tmp_path / "packed", PackOptions(1.0, Encoding(), 1))
    packed = open_set(tmp_path / "packed")
    assert packed.info.classes == ("ground", "disc", "box")
    assert_same(packed.train, folder.train)
    index = json.loads((tmp_path / "packed/index.json").read_text())
    assert index["masks"] == {"values": [7, 0, 200], "ignored": 11}
    assert index["version"] == 2


def test_a_set_is_packed_again_to_the_same_bytes_and_resumed(
    template: Path, tmp_path: Path
) -> None:
    wanted = bytes_of(template / "packed")
    again = shutil.copytree(template / "packed", tmp_path / "again")
    (again / "train-000001.tar").unlink()
    (again / "train.masks.npy").unlink()
    assert pack_verb.main([str(template / "shapes"), str(again), *CHUNK]) == 0
    assert bytes_of(again) == wanted
    more = [*CHUNK[:-1], "2"]
    assert pack_verb.main([str(template / "shapes"), str(tmp_path / "two"), *more]) == 0
    assert bytes_of(tmp_path / "two") == wanted


def test_another_meaning_of_the_values_is_another_set(template: Path, tmp_path: Path) -> None:
    source = shutil.copytree(template / "shapes", tmp_path / "shapes")
    (source / "classes.txt").write_text("0 background\n1 disc\n2 box\n3 more\n")
    target = shutil.copytree(template / "packed", tmp_path / "packed")
    with pytest.raises(RunError, match="the classes or files of the source have changed"):
        pack_verb.main([str(source), str(target), *CHUNK])


def test_a_smaller_side_is_refused(template: Path, tmp_path: Path) -> None:
    arguments = [str(template / "shapes"), str(tmp_path / "x"), "--short-side", "16"]
    with pytest.raises(ConfigError, match="images with masks are packed at their own size"):
        pack_verb.main(arguments)


def test_masks_are_fetched_from_an_address(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(tmp_path / "cache", monkeypatch)
    with serve(packed) as server:
        config = DataConfig(name="shards", url=server.address)
        assert has_mask_targets(config)
        data = load_data(config)
        assert_same(data.val, open_set(packed).val)


def test_whether_there_are_masks_is_seen_without_opening_the_set(
    packed: Path, tmp_path: Path
) -> None:
    assert has_mask_targets(DataConfig(name="shards", root=packed))
    assert has_mask_targets(DataConfig(name="masks", root=packed))
    assert not has_mask_targets(DataConfig(name="shards", root=tmp_path / "none"))
    assert not has_mask_targets(DataConfig(name="digits"))


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def test_a_flipped_bit_in_a_mask_is_found(packed: Path) -> None:
    assert check(packed, 1).damage == ()
    train = open_set(packed).train
    assert isinstance(train, ShardSplit)
    assert train.masks is not None
    shard = f"train-{int(train.table[4]['shard']):06}.tar"
    flip(packed / shard, int(train.masks[4]["offset"]) + 40)
    found = open_set(packed).train.reader(3)
    assert found.mask(3).shape == (24, 28)
    with pytest.raises(DataError, match="its bytes have changed since packing"):
        found.mask(4)
    assert [(one.file, one.sample) for one in check(packed, 1).damage] == [(shard, train.name(4))]


IMPOSSIBLE: dict[tuple[str | int, ...], list[object]] = {
    ("masks",): [None, [], 5, {}],
    ("masks", "values"): [
        [0, 1],
        [0, 1, 1],
        [0, 1, 256],
        [0, 1, -1],
        [0, 1, 2.5],
        [0] * 10**4,
        "012",
    ],
    ("masks", "ignored"): [2, 256, -1, "255", True],
    (*TRAIN, "masks_sha256"): [None, "x", 5],
}


@pytest.mark.parametrize(
    ("place", "value"),
    [(place, value) for place, values in IMPOSSIBLE.items() for value in values],
)
def test_an_index_that_says_something_impossible_of_masks_is_refused(
    packed: Path, place: tuple[str | int, ...], value: object
) -> None:
    change_index(packed, set_value(*place, to=value))
    for use in (lambda: open_set(packed), lambda: check(packed, 1), lambda: read_index(packed)):
        with pytest.raises(DataError, match="pack the set again") as caught:
            use()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 700


ROWS: list[tuple[Callable[[Any], None], str]] = [
    (put("offset", -1), "outside its shard"),
    (put("offset", 2**62), "outside its shard"),
    (put("offset", 10**5), "outside its shard"),
    (put("size", 0), "no bytes"),
    (put("size", 2**31), "no bytes, or more than"),
    (put("size", 10**6), "outside its shard"),
    (put("height", 0), "no pixels"),
    (put("width", 2**32 - 1), "no pixels, or more than"),
    (put("height", 10**7), "no pixels, or more than"),
    (put("counts", [-1, 0, 0]), "more pixels with a class than pixels"),
    (put("counts", [2**62, 2**62, 2**62]), "more pixels with a class than pixels"),
    (put("counts", [600, 600, 0]), "more pixels with a class than pixels"),
]


@pytest.mark.parametrize(("change", "message"), ROWS)
def test_a_table_that_says_something_impossible_is_refused(
    packed: Path, change: Callable[[Any], None], message: str
) -> None:
    rewrite_rows(packed, change, "masks")
    with pytest.raises(DataError, match=f"masks of train .*{message}.* run resnext pack again"):
        open_set(packed)
    (damage,) = check(packed, 1).damage
    assert damage.file == "train.rows.npy"
    assert message in damage.reason


def test_a_table_of_another_shape_or_hash_is_refused(packed: Path) -> None:
    path = packed / "train.masks.npy"
    rows = np.load(path)
    flip(path, path.stat().st_size - 5)
    with pytest.raises(DataError, match=r"train\.masks\.npy is damaged: its SHA-256 differs"):
        open_set(packed)
    assert check(packed, 1).damage == (
        Damage("train.masks.npy", "its SHA-256 differs from the index"),
    )
    np.save(path, rows[:-1])
    rewrite_rows(packed, lambda _: None, "masks")
    with pytest.raises(DataError, match="rows instead of"):
        open_set(packed)
    np.save(path, rows[["offset", "size"]])
    rewrite_rows(packed, lambda _: None, "masks")
    with pytest.raises(DataError, match="has values of another type"):
        open_set(packed)
    os.truncate(path, 10)
    change_index(packed, lambda _: None)
    with pytest.raises(DataError):
        open_set(packed)


def test_a_mask_of_another_size_than_its_table_says_is_refused_when_it_is_read(
    packed: Path,
) -> None:
    rewrite_rows(packed, put("height", 25), "masks")
    with pytest.raises(DataError, match="does not have the size that is listed"):
        open_set(packed).train.reader(3).mask(3)
    assert "contains other samples" in check(packed, 1).damage[0].reason


def test_a_mask_that_is_none_or_has_an_unknown_value_is_refused_when_it_is_read(
    packed: Path,
) -> None:
    train = open_set(packed).train
    assert isinstance(train, ShardSplit)

    def point_at_the_image(rows: Any) -> None:
        for field in ("offset", "size", "crc32"):
            rows[field][3] = train.table[3][field]

    rewrite_rows(packed, point_at_the_image, "masks")
    with pytest.raises(DataError, match=r"its mask of images/.*png: has colours"):
        open_set(packed).train.reader(3).mask(3)
    change_index(packed, set_value("masks", "values", to=[0, 1, 9]))
    with pytest.raises(DataError, match="now contains a value that is not a class"):
        open_set(packed).train.reader(3).mask(5)
    assert any("not a class" in one.reason for one in check(packed, 1).damage)
