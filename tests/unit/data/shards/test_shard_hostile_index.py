"""Packed sets made to do harm: all that index and tables say is checked before it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile_sets import SHARD, TRAIN, change_index, put, rewrite_rows, set_value
from packed_trees import NUM_TRAIN, bytes_of, pack_tree, write_tree
from remote_sets import open_at, open_local
from shard_server import ShardServer

from resnext.data.shards import layout
from resnext.data.shards.check import check
from resnext.data.shards.layout import is_packed, read_index
from resnext.data.shards.table import ROW
from resnext.download import sha256_of
from resnext.errors import DataError, DownloadError

pytest_plugins = ["shard_fixtures"]


def rename_split(name: str) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        listed = value["splits"][name] = value["splits"].pop("val")
        for number, shard in enumerate(listed["shards"]):
            shard["name"] = f"{name}-{number:06}.tar"

    return change


NAMES = ["../../escaped", "/tmp/escaped", "..", "", "a\0b", "train/../../x", "escaped"]
IMPOSSIBLE: dict[tuple[str | int, ...], list[object]] = {
    (*SHARD, "size_bytes"): [0, -1, 1, 2**41, 2**63, 1e300, "10", None, True, []],
    (*SHARD, "num_samples"): [-1, 10**9, "1", 1.5],
    (*SHARD, "sha256"): ["", "0" * 63, "0" * 64 + "\n", "g" * 64, "A" * 64, 5],
    (*SHARD, "bad"): [[["a"]], "x", [[1, 2]], [["a" * 5000, ""]]],
    (*TRAIN, "shards"): [[], None, {}, [None], [{}] * 1000],
    (*TRAIN, "num_samples"): [0, -1, NUM_TRAIN + 1, 2**40],
    (*TRAIN, "rows_sha256"): ["x", ""],
    ("splits",): [None, [], {"train": None}],
    ("classes",): [
        [],
        ["cat", "cat"],
        ["cat", 5],
        "cat",
        ["x" * 5000, "dog"],
        ["caf\udce9", "dog"],
    ],
    ("in_channels",): [0, -3, 10**9, 1],
    ("image_size_px",): [0, -1, 10**9],
    ("mean",): [[], [0.5] * 4, [float("nan")] * 3, ["0.5"] * 3],
    ("std",): [[0.0] * 3, [-1.0] * 3, [float("inf")] * 3],
    ("name",): [None, 5, "x" * 5000],
    ("version",): [0, -1, 10**400, "1", None],
    ("settings", "shard_mib"): [0, float("nan"), -1],
    ("settings",): [None, []],
    ("format",): ["x", None],
}
CHANGES = [
    *((f"split {name!r}", rename_split(name)) for name in NAMES),
    *((f"shard {name!r}", set_value(*SHARD, "name", to=name)) for name in NAMES),
    *(
        (f"{'.'.join(map(str, place[-2:]))} {value!r}", set_value(*place, to=value))
        for place, values in IMPOSSIBLE.items()
        for value in values
    ),
]


@pytest.mark.parametrize("change", [one for _, one in CHANGES], ids=[name for name, _ in CHANGES])
def test_an_index_that_says_something_impossible_is_refused_everywhere(
    packed: Path, tmp_path: Path, server: ShardServer, change: Callable[[Any], None]
) -> None:
    change_index(packed, change)
    before = bytes_of(packed)
    for use in (
        lambda: open_local(packed),
        lambda: check(packed, 1),
        lambda: open_at(server.address),
    ):
        with pytest.raises(DataError) as caught:
            use()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 700
    # Nothing but the index has been asked for, and nothing lies beside the cache.
    assert set(server.num_requests) == {"index.json"}
    assert bytes_of(packed) == before
    assert {path.name for path in tmp_path.iterdir()} == {"trees", "cache"}


@pytest.mark.parametrize("text", ["[" * 10**6, "", "null", "[]", "\ud800", "9" * 10**5, '{"a":1'])
def test_an_index_that_is_no_json_object_is_refused(packed: Path, text: str) -> None:
    (packed / "index.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match="pack the set again"):
        read_index(packed)
    assert not is_packed(packed)


def test_an_index_larger_than_any_is_not_read(
    packed: Path, server: ShardServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (packed / "index.json").stat().st_size
    for module in ("layout", "remote"):
        monkeypatch.setattr(f"resnext.data.shards.{module}.MAX_INDEX_BYTES", size - 1)
    assert size - 1 == layout.MAX_INDEX_BYTES
    with pytest.raises(DataError, match="is larger than"):
        read_index(packed)
    with pytest.raises(DownloadError, match=r"index.json: has more than the expected [\d,]+ bytes"):
        open_at(server.address)


def test_an_odd_file_name_survives_in_the_index(tmp_path: Path) -> None:
    photos = write_tree(tmp_path / "photos")
    (photos / "train/cat/torn\udcff.jpg").write_bytes(b"no image")
    for number in range(100):  # one bad file in a hundred is accepted
        (photos / f"train/cat/more{number}.jpg").write_bytes(
            (photos / "train/cat/photo.0.jpg").read_bytes()
        )
    pack_tree(photos, tmp_path / "packed")
    bad = [
        row for shard in read_index(tmp_path / "packed").splits["train"].shards for row in shard.bad
    ]
    assert [path.rpartition("/")[2] for path, _ in bad] == ["torn\udcff.jpg"]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("offset", -1, "outside its shard"),
        ("offset", 2**63 - 1, "outside its shard"),
        ("offset", 10**9, "outside its shard"),
        ("size", 0, "no byte"),
        ("size", 2**32 - 1, "more than"),
        ("size", 10**6, "outside its shard"),
        ("shard", 2**32 - 1, "refers to a missing shard"),
        ("shard", 10**6, "refers to a missing shard"),
        ("label", 2, "refers to a missing class"),
        ("label", 2**32 - 1, "refers to a missing class"),
        ("name_end", -1, "are not contiguous"),
        ("name_end", 0, "are not contiguous"),
        ("name_end", 2**63 - 1, "are not contiguous"),
    ],
)
def test_a_row_that_points_anywhere_else_is_refused(
    packed: Path, field: str, value: int, message: str
) -> None:
    rewrite_rows(packed, put(field, value))
    with pytest.raises(DataError, match=message):
        open_local(packed)
    (damage,) = check(packed, 1).damage
    assert damage.file == "train.rows.npy"
    assert message in damage.reason


def test_rows_of_another_number_than_the_shards_have_are_refused(packed: Path) -> None:
    def move(rows: Any) -> None:
        rows["shard"], rows["offset"], rows["size"] = 0, 512, 1

    rewrite_rows(packed, move)
    with pytest.raises(DataError, match="different numbers of images"):
        open_local(packed)


@pytest.mark.parametrize("text", [b"../", b"/et", b".hi", b"a/.", b"\0ab"])
@pytest.mark.parametrize("place", [0, 7])
def test_names_that_are_no_paths_below_the_source_are_refused(
    packed: Path, text: bytes, place: int
) -> None:
    path = packed / "train.names.npy"
    names = np.load(path)
    start = int(np.load(packed / "train.rows.npy")["name_end"][place - 1]) if place else 0
    names[start : start + len(text)] = list(text)
    np.save(path, names)
    change_index(packed, set_value(*TRAIN, "names_sha256", to=sha256_of(path)))
    with pytest.raises(DataError, match="not a path below"):
        open_local(packed)


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


@pytest.mark.parametrize(
    "content",
    [
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10**12,), }"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,), }"),
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", b"x"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"cos\nsystem\n"),
        npy(f"{{'descr': {ROW.descr}, 'fortran_order': False, 'shape': (46, 1)}}", bytes(46 * 32)),
        npy("(" * 100),
        npy("[" * 60 + "]" * 60),
        b"PK\x03\x04 an archive of arrays",
        b"\x80\x04. a pickle",
        b"",
    ],
)
@pytest.mark.parametrize("name", ["rows", "names"])
def test_a_table_that_is_another_kind_of_file_is_refused(
    packed: Path, name: str, content: bytes
) -> None:
    path = packed / f"train.{name}.npy"
    path.write_bytes(content)
    change_index(packed, set_value(*TRAIN, f"{name}_sha256", to=sha256_of(path)))
    with pytest.raises(DataError, match=rf"train.{name}.npy"):
        open_local(packed)
    assert len(check(packed, 1).damage) == 1
