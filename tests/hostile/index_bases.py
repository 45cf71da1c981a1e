"""Whole packed sets, caches and archives, which are damaged, and what reads each of them."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from resnext.benchmark import latency
from resnext.checked_json import read_checked, write_checked
from resnext.data.config import DataConfig
from resnext.data.sets import listing_cache
from resnext.data.sets.imagenet.archives import open_tar, unpack_class
from resnext.data.sets.listing import list_tree
from resnext.data.sets.load import load_data
from resnext.data.shards.check import check
from resnext.data.shards.encode import Encoding
from resnext.data.shards.load import load_remote_shards, load_shards
from resnext.data.shards.pack import PackOptions, pack
from resnext.data.shards.split import ShardSplit
from resnext.data.split import DataSet
from resnext.download import sha256_of
from resnext.errors import DataError
from resnext.weights.hub_card import card_from_hub

NUM_IMAGES = 12


def write_photos(root: Path) -> None:
    """Write a few small photographs of two classes, in splits."""
    generator = np.random.default_rng(0)
    for number in range(NUM_IMAGES):
        folder = root / ("train", "val")[number % 3 == 0] / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")


def write_packed(folder: Path) -> None:
    write_photos(folder / "photos")
    data = load_data(DataConfig(name="folder", root=folder / "photos"))
    pack(data, folder / "packed", PackOptions(0.003, Encoding(), 1))


def write_listing(folder: Path) -> None:
    """List photographs with a cache that keeps small folders, too; the cache is the base."""
    write_photos(folder / "photos")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    listing, stamps = list_tree(folder / "photos" / "train")
    listing_cache._write(folder / "listing", folder / "photos" / "train", listing, stamps)


def write_hub_config(folder: Path) -> None:
    config = {
        "architecture": "resnext50_32x4d",
        "num_classes": 3,
        "label_names": ["cat", "dog", "hen"],
        "pretrained_cfg": {
            "input_size": [3, 224, 224],
            "test_input_size": [3, 288, 288],
            "test_crop_pct": 0.95,
            "interpolation": "bicubic",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "license": "apache-2.0",
        },
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def write_times(folder: Path) -> None:
    row = {
        "median_ms": 3.25,
        "low_ms": 3.0,
        "high_ms": 3.5,
        "rounds": 15,
        "machine": "m",
        "versions": "v",
        "measured": "2024-01-01 00:00",
        "is_cached": False,
    }
    write_checked(folder / "measured.json", {"a" * 64: row, "b" * 64: row})


def write_archives(folder: Path) -> None:
    for name, mode in (("x.tar", "w"), ("x.tar.gz", "w:gz")):
        with tarfile.open(folder / name, mode) as tar:  # type: ignore[call-overload]  # any mode
            for number in range(4):
                member = tarfile.TarInfo(f"n01440764_{number}.JPEG" * (1 + 9 * (number == 2)))
                member.size = 700
                tar.addfile(member, io.BytesIO(bytes(range(100)) * 7))


def read_images(data: DataSet) -> None:
    for split in (data.train, data.val):
        assert isinstance(split, ShardSplit)
        reader = split.reader(3)
        for index in range(len(split)):
            assert 0 <= int(split.targets_n[index]) < len(data.info.classes)
            assert len(reader.name_of(index)) < 10_000
            reader.read(index)


def open_packed(folder: Path) -> None:
    """Open a set in its folder and as if it came from elsewhere, and read all images."""
    read_images(load_shards(folder / "packed"))
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    read_images(load_remote_shards(f"file://{folder / 'packed'}", 0.01))


def check_packed(folder: Path) -> None:
    if damage := check(folder / "packed", 1).damage:
        raise DataError(damage[0].reason)


def fit_index(folder: Path, name: str) -> None:
    """Give the index the length and the hash of a file, so that nothing but its content tells."""
    index = json.loads((folder / "packed" / "index.json").read_text())
    split, kind = name.split("-" if name.endswith(".tar") else ".")[:2]
    listed, path = index["splits"][split], folder / "packed" / name
    if name.endswith(".tar"):
        listed["shards"][0] |= {"sha256": sha256_of(path), "size_bytes": path.stat().st_size}
    else:
        listed[f"{kind}_sha256"] = sha256_of(path)
    (folder / "packed" / "index.json").write_text(json.dumps(index))


def read_listing(folder: Path) -> None:
    """Read a kept listing, which must be the folder's or count as none."""
    root = folder / "photos" / "train"
    kept = listing_cache._read(root, folder / "listing")
    if kept is None:
        raise DataError("as good as none")
    assert kept == list_tree(root)[0], "another listing than the folder's"


def seal_listing(folder: Path, name: str) -> None:
    """Give the index the hash of an array that was changed."""
    value = read_checked(folder / "listing" / "listing.json")
    value["sha256"][name.split(".")[1]] = sha256_of(folder / "listing" / name)
    write_checked(folder / "listing" / "listing.json", value)


def read_sealed_listing(folder: Path) -> None:
    """Read a forged listing, which may say what it likes of files below the folder."""
    kept = listing_cache._read(folder / "photos" / "train", folder / "listing")
    if kept is None:
        raise DataError("as good as none")
    for name in kept.names:
        assert not {"..", ".", ""} & set(name.split("/")[:1]), name
        assert "/../" not in name
        assert "\0" not in name


def read_config(folder: Path) -> None:
    card = card_from_hub(folder / "config.json")
    assert 0 < card.image_size_px <= 8192
    assert 0 < (card.resize_px or 1) <= 8192


def read_times(folder: Path) -> None:
    if not (known := latency._read(folder / "measured.json")):
        raise DataError("as good as none")
    assert {row.median_ms for row in known.values()} == {3.25}


def unpack(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        with open_tar(folder / name) as tar:
            unpack_class(tar, name, folder / "out" / "n01440764", None)

    return read
