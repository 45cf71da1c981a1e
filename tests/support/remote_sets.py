"""Packed sets opened at an address and in a folder, and their loaders."""

from functools import partial
from pathlib import Path
from typing import Any

import loaders
import pytest
from packed_trees import pack_tree, write_tree

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.sets.load import load_data
from resnext.data.shards import load as load_module
from resnext.data.shards.remote import GIB, Remote, open_remote
from resnext.data.shards.split import ShardSplit
from resnext.data.split import DataSet
from resnext.partial_file import Patience

QUICK = Patience(attempts=3, pause_s=0.0, timeout_s=20.0)


def pack_photos(folder: Path) -> Path:
    """Write photos into a folder, and return the set that they are packed into."""
    index = pack_tree(write_tree(folder / "photos"), folder / "packed")
    assert len(index.splits["train"].shards) >= 5
    return folder / "packed"


def use_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test an empty cache and little patience; return where shards are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(load_module, "open_remote", partial(open_remote, patience=QUICK))
    return folder / "resnext" / "shards"


def open_at(address: str, **options: Any) -> DataSet:
    return load_data(DataConfig(name="shards", url=address, image_size_px=24, **options))


def open_local(packed: Path, **options: Any) -> DataSet:
    return load_data(DataConfig(name="shards", root=packed, image_size_px=24, **options))


def train_loader(data: DataSet, **options: Any) -> TrainLoader:
    augment = AugmentConfig(crop="resized", flip=True, mixup=0.2)
    return loaders.train_loader(data.train, data.info, augment, **options)


def eval_loader(data: DataSet, **options: Any) -> EvalLoader:
    return loaders.eval_loader(data.val, data.info, **options)


def remote_of(data: DataSet) -> Remote:
    assert isinstance(data.train, ShardSplit)
    assert data.train.remote is not None
    return data.train.remote


def size_of(packed: Path, num_shards: float) -> float:
    """Return the GiB of so many shards of the largest size."""
    largest = max(path.stat().st_size for path in packed.glob("*.tar"))
    return num_shards * largest / GIB
