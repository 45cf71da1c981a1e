from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from nonempty import nonempty
from packed_trees import NUM_TRAIN, NUM_VAL, bytes_of, open_tree, pack_tree, write_tree
from PIL import Image, ImageOps

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.data.shards import claim, write
from resnext.data.shards import pack as pack_module
from resnext.data.shards.encode import Encoding
from resnext.data.shards.layout import read_index
from resnext.data.shards.pack import PackOptions, pack
from resnext.errors import ConfigError, DataError, RunError


def members(folder: Path, split: str) -> dict[str, dict[str, bytes]]:
    """Read every shard of a split as WebDataset does: by key, then by ending."""
    samples: dict[str, dict[str, bytes]] = {}
    for path in sorted(folder.glob(f"{split}-*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                file = tar.extractfile(member)
                assert file is not None
                assert ending not in samples.setdefault(key, {})
                samples[key][ending] = file.read()
    return samples


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "photos")


def test_the_shards_hold_every_file_with_its_bytes_and_its_label(
    tree: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    pack_tree(tree, packed)
    _, *splits = open_tree(tree)
    for name, files in zip(("train", "val"), splits, strict=True):
        samples = members(packed, name)
        assert len(samples) == len(files) > 0
        for number, (file, label) in enumerate(
            zip(files.names, files.targets_n.tolist(), strict=True)
        ):
            ending = file.rpartition(".")[2]
            content = (files.root / file).read_bytes()
            assert samples[f"{number:010}"] == {ending: content, "cls": str(label).encode()}


def test_the_index_counts_and_hashes_what_is_there(tree: Path, tmp_path: Path) -> None:
    index = pack_tree(tree, tmp_path / "packed")
    assert index == read_index(tmp_path / "packed")
    assert index.classes == ("cat", "dog")
    assert {name: split.num_samples for name, split in index.splits.items()} == {
        "train": NUM_TRAIN,
        "val": NUM_VAL,
    }
    assert len(index.splits["train"].shards) > 2
    for split in index.splits.values():
        assert sum(shard.num_samples for shard in split.shards) == split.num_samples
        for shard in split.shards:
            content = (tmp_path / "packed" / shard.name).read_bytes()
            assert shard.size_bytes == len(content)
            assert shard.sha256 == hashlib.sha256(content).hexdigest()


def test_a_shard_mixes_the_classes(tree: Path, tmp_path: Path) -> None:
    pack_tree(tree, tmp_path / "packed", shard_mib=0.05)
    for path in nonempty((tmp_path / "packed").glob("train-*.tar")):
        with tarfile.open(path) as tar:
            keys = [member.name[:10] for member in tar]
        assert keys != sorted(keys)


def test_shards_come_near_the_size_that_was_asked_for(tree: Path, tmp_path: Path) -> None:
    index = pack_tree(tree, tmp_path / "packed", shard_mib=0.05)
    sizes = [shard.size_bytes for shard in index.splits["train"].shards]
    # tar rounds each file up to 10 KiB
    assert all(0.025 * 2**20 < size < 0.05 * 2**20 + 2 * 10240 for size in nonempty(sizes))


@pytest.mark.slow
def test_the_same_input_and_flags_give_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    for folder, workers in (("one", 1), ("two", 1), ("parallel", 2)):
        pack_tree(tree, tmp_path / folder, workers=workers, short_side_px=32)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "parallel")


class KilledError(Exception):
    pass


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the shards that are written."""
    written: list[str] = []

    def write_shard(plan: write.ShardPlan, folder: Path) -> write.Shard:
        written.append(plan.name)
        return write.write_shard(plan, folder)

    monkeypatch.setattr(pack_module, "write_shard", write_shard)
    return written


def interrupt(tree: Path, packed: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Pack until some shards are finished and another is half written."""
    real, calls = write._add, 0
    per_shard = 2 * pack_tree(tree, packed.with_name("whole")).splits["train"].shards[0].num_samples

    def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls > after * per_shard + 5:
            raise KilledError
        real(tar, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(write, "_add", add)
        with pytest.raises(KilledError):
            pack_tree(tree, packed)


def test_an_interrupted_pack_goes_on_and_ends_with_the_same_bytes(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    packed = tmp_path / "packed"
    interrupt(tree, packed, monkeypatch, after=2)
    with pytest.raises(DataError, match="run the same command again"):
        load_data(DataConfig(name="shards", root=packed))
    (packed / "train-000002.tar.99999.partial").write_bytes(b"left by a kill")
    counted.clear()
    pack_tree(tree, packed)
    assert "train-000000.tar" not in counted
    assert "train-000001.tar" not in counted
    assert "train-000002.tar" in counted
    assert bytes_of(packed) == bytes_of(tmp_path / "whole")


def test_a_finished_shard_that_was_damaged_is_written_again(
    tree: Path, tmp_path: Path, counted: list[str]
) -> None:
    packed = tmp_path / "packed"
    pack_tree(tree, packed)
    before = bytes_of(packed)
    for name in ("train-000001.tar", "val-000000.tar"):
        content = bytearray(before[name])
        content[700] ^= 1
        (packed / name).write_bytes(content)
    counted.clear()
    pack_tree(tree, packed)
    assert counted == ["train-000001.tar", "val-000000.tar"]
    assert bytes_of(packed) == before


def test_a_torn_record_of_a_shard_is_as_good_as_none(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    interrupt(tree, packed, monkeypatch, after=2)
    (packed / ".pack" / "train-000000.tar.json").write_text("")
    pack_tree(tree, packed)
    assert bytes_of(packed) == bytes_of(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"shard_mib": 0.5}, "--shard-mib was 0.02, now 0.5"),
        ({"short_side_px": 32}, "--short-side was none, now 32"),
        ({"quality": 80}, "--quality was none, now 80"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_other_settings_are_refused(
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    named: str,
    finished: bool,
) -> None:
    packed = tmp_path / "packed"
    if finished:
        pack_tree(tree, packed)
    else:
        interrupt(tree, packed, monkeypatch, after=1)
    with pytest.raises(RunError, match=named):
        pack_tree(tree, packed, **changes)


def test_a_source_with_other_files_is_refused(tree: Path, tmp_path: Path) -> None:
    pack_tree(tree, tmp_path / "packed")
    next((tree / "train" / "cat").iterdir()).unlink()
    with pytest.raises(RunError, match="the classes or files of the source have changed"):
        pack_tree(tree, tmp_path / "packed")


def test_a_folder_with_something_else_in_it_is_refused(tree: Path) -> None:
    with pytest.raises(RunError, match="is not a packed data set; give a new or an empty folder"):
        pack_tree(tree, tree)


def test_two_packs_do_not_write_into_one_folder(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    monkeypatch.setattr(claim, "_LOCK_WAIT_S", 0.01)
    (packed / ".pack").mkdir(parents=True)
    with (
        FileLock(packed / ".pack" / "lock"),
        pytest.raises(RunError, match="another process is packing into"),
    ):
        pack_tree(tree, packed)


def test_a_full_disk_is_one_message_and_leaves_no_half_shard(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        RunError, match=r"No space left on device.*free disk space and run the same"
    ):
        pack_tree(tree, tmp_path / "packed")
    assert not list((tmp_path / "packed").glob("*.partial"))
    assert not list((tmp_path / "packed").glob("*.tar"))


def test_sets_in_memory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="digits cannot be packed"):
        pack(load_data(DataConfig()), tmp_path / "packed", PackOptions(1.0, Encoding(), 1))


@pytest.mark.parametrize("damage", ["torn JPEG", "torn PNG", "text", "empty"])
def test_a_bad_file_is_left_out_and_listed(tree: Path, tmp_path: Path, damage: str) -> None:
    ending = "png" if damage == "torn PNG" else "jpg"
    path = next((tree / "train").rglob(f"*.{ending}"))
    torn = {"text": b"no image at all", "empty": b""}
    path.write_bytes(torn.get(damage, path.read_bytes()[:-40]))
    index = pack_tree(tree, tmp_path / "packed")
    assert index.splits["train"].num_samples == NUM_TRAIN - 1
    rows = json.loads((tmp_path / "packed" / "bad_files.json").read_text())
    assert [row["path"] for row in rows] == [str(path)]
    assert rows[0]["reason"]
    split = load_data(DataConfig(name="shards", root=tmp_path / "packed")).train
    names = open_tree(tree)[1].names
    kept = [name for name in names if tree / "train" / name != path]
    assert [split.name(index) for index in range(len(split))] == kept


def test_more_than_one_per_cent_of_bad_files_stop_the_pack(tree: Path, tmp_path: Path) -> None:
    for path in list((tree / "train").rglob("*.jpg"))[:3]:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match="bad, more than 1 %"):
        pack_tree(tree, tmp_path / "packed")
    rows = json.loads((tmp_path / "packed" / "bad_files.json").read_text())
    assert len(rows) >= 2
    assert not (tmp_path / "packed" / "index.json").exists()


def test_larger_images_are_reduced_and_smaller_ones_kept(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for part in ("train", "val"):
        for label in "ab":
            (root / part / label).mkdir(parents=True)
            for side in (20, 64, 90):
                image = Image.effect_noise((side * 3 // 2, side), 40).convert("RGB")
                image.save(root / part / label / f"{side}.png")
    pack_tree(root, tmp_path / "packed", short_side_px=64)
    for number, sample in nonempty(members(tmp_path / "packed", "train").items()):
        side = (20, 64, 90)[int(number) % 3]
        if side > 64:
            assert set(sample) == {"jpg", "cls"}
            assert Image.open(io.BytesIO(sample["jpg"])).size == (96, 64)
        else:
            file = root / "train" / "ab"[int(number) // 3] / f"{side}.png"
            assert sample["png"] == file.read_bytes()


def test_a_quality_encodes_every_image_anew(tree: Path, tmp_path: Path) -> None:
    pack_tree(tree, tmp_path / "high", quality=95)
    pack_tree(tree, tmp_path / "low", quality=10)
    high, low = (members(tmp_path / folder, "train") for folder in ("high", "low"))
    assert all(set(sample) == {"jpg", "cls"} for sample in high.values())
    sizes = [sum(len(sample["jpg"]) for sample in part.values()) for part in (high, low)]
    assert sizes[1] < sizes[0]


def test_a_reduced_photo_stands_upright(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    image = Image.linear_gradient("L").resize((90, 60)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    for part in ("train", "val"):
        for label in "ab":
            (root / part / label).mkdir(parents=True)
            image.save(root / part / label / "x.jpg", exif=exif, quality=95)
    pack_tree(root, tmp_path / "packed", short_side_px=30)
    sample = members(tmp_path / "packed", "train")["0000000000"]["jpg"]
    with Image.open(io.BytesIO(sample)) as reduced:
        assert reduced.size == (30, 45)
        assert ImageOps.exif_transpose(reduced).size == (30, 45)


_READ_WITH_WEBDATASET = """
import json, sys, webdataset
read = webdataset.WebDataset(sys.argv[1:], shardshuffle=False)
samples = [(image.size, label) for image, label in read.decode("pil").to_tuple("jpg", "cls")]
print(json.dumps(samples))
"""


def test_the_webdataset_package_reads_the_shards(tree: Path, tmp_path: Path) -> None:
    pytest.importorskip("webdataset")
    packed = tmp_path / "packed"
    index = pack_tree(tree, packed, quality=90)
    shards = [str(packed / shard.name) for shard in index.splits["train"].shards]
    # In a process of its own, since the package leaves files open, a warning in ours.
    command = [sys.executable, "-c", _READ_WITH_WEBDATASET, *shards]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    files = open_tree(tree)[1]
    expected = []
    for name, label in zip(files.names, files.targets_n.tolist(), strict=True):
        with Image.open(files.root / name) as image:
            expected.append([list(image.size), label])
    assert sorted(json.loads(done.stdout)) == sorted(expected)
