"""Small trees of photos and their packed copies, for the tests of shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.data.sets.load import load_data
from resnext.data.shards.encode import Encoding
from resnext.data.shards.layout import Index
from resnext.data.shards.pack import PackOptions, pack
from resnext.data.split import DataSet

NUM_TRAIN, NUM_VAL = 46, 20


def write_tree(root: Path) -> Path:
    """Write 66 JPEG and PNG images of two classes, in splits."""
    generator = np.random.default_rng(1)
    for number in range(NUM_TRAIN + NUM_VAL):
        part = "train" if number < NUM_TRAIN else "val"
        folder = root / part / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((50 + number, 40))
        image.save(folder / f"photo.{number}.{'png' if number % 3 else 'jpg'}")
    return root


def write_stripes(root: Path, num_train: int, num_val: int, ending: str = "png") -> Path:
    """Write photos of two classes: one has horizontal, one vertical stripes."""
    generator = np.random.default_rng(0)
    for number in range(num_train + num_val):
        folder = root / ("train" if number < num_train else "val") / ("flat", "steep")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        stripes = generator.integers(0, 256, (12, 1, 3), dtype=np.uint8).repeat(12, axis=1)
        pixels = stripes if number % 2 else stripes.transpose(1, 0, 2)
        image = Image.fromarray(np.ascontiguousarray(pixels)).resize((48, 40))
        image.save(folder / f"{number}.{'png' if number % 4 else ending}")
    return root


def open_tree(root: Path) -> tuple[DataSet, FileSplit, FileSplit]:
    data = load_data(DataConfig(name="folder", root=root))
    assert isinstance(data.train, FileSplit)
    assert isinstance(data.val, FileSplit)
    return data, data.train, data.val


def pack_tree(
    source: Path,
    folder: Path,
    *,
    shard_mib: float = 0.02,
    short_side_px: int | None = None,
    quality: int | None = None,
    workers: int = 1,
) -> Index:
    """Pack a tree, by default into several small shards."""
    encoding = Encoding(short_side_px, quality)
    return pack(open_tree(source)[0], folder, PackOptions(shard_mib, encoding, workers))


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
