"""The promise of the loaders: the same batches with any number of workers and processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from loaders import EVERYTHING, assert_same, eval_loader, train_loader
from packed_trees import write_tree

from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig, ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.sets.load import load_data
from resnext.data.split import DataSet

AUGMENTS = {
    "everything": EVERYTHING,
    "trivialaugment, padded crop": EVERYTHING.replace(crop="pad", policy="trivialaugment"),
    "nothing": AugmentConfig(),
}


def write_photos(root: Path) -> None:
    """Write 66 JPEG and PNG images of two classes, one of them torn."""
    torn = write_tree(root) / "train" / "cat" / "photo.10.png"
    torn.write_bytes(torn.read_bytes()[:200])


@pytest.fixture(params=["files", "in memory"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> DataSet:
    if request.param == "files":
        write_photos(tmp_path)
        return load_data(DataConfig(name="folder", root=tmp_path, image_size_px=24))
    digits = load_data(DataConfig())
    assert isinstance(digits.train, ArraySplit)
    color = digits.train.images_nhwc[:50].expand(-1, -1, -1, 3).contiguous()
    split = ArraySplit(color, digits.train.targets_n[:50])
    mean, std = digits.info.mean * 3, digits.info.std * 3
    return DataSet(replace(digits.info, in_channels=3, mean=mean, std=std), split, split)


def train_batches(data: DataSet, augment: AugmentConfig, **place: Any) -> list[Batch]:
    return list(train_loader(data.train, data.info, augment, batch_size=15, **place).epoch(1))


def joined(batches: list[Batch]) -> list[torch.Tensor | None]:
    """Put the batches one behind another, field by field."""
    fields = ("images_bchw", "targets_b", "indices_b", "other_targets_b", "kept_b")
    columns = [[getattr(batch, field) for batch in batches] for field in fields]
    return [None if column[0] is None else torch.cat(column) for column in columns]


def assert_same_images(left: list[Batch], right: list[Batch]) -> None:
    for one, other in zip(joined(left), joined(right), strict=True):
        assert one is other if one is None or other is None else torch.equal(one, other)


@pytest.mark.parametrize("augment", AUGMENTS.values(), ids=AUGMENTS.keys())
@pytest.mark.parametrize("workers", [1, 4])
def test_workers_change_nothing(data: DataSet, augment: AugmentConfig, workers: int) -> None:
    assert_same(train_batches(data, augment), train_batches(data, augment, workers=workers))


@pytest.mark.parametrize("augment", AUGMENTS.values(), ids=AUGMENTS.keys())
@pytest.mark.parametrize("workers", [0, 1])
def test_two_processes_see_what_one_sees(
    data: DataSet, augment: AugmentConfig, workers: int
) -> None:
    shares = [
        train_batches(data, augment, workers=workers, rank=rank, world_size=2) for rank in range(2)
    ]
    in_order = [batch for step in zip(*shares, strict=True) for batch in step]
    whole = train_batches(data, augment)
    assert_same_images(whole, in_order)
    for batch, step in zip(whole, zip(*shares, strict=True), strict=True):
        assert {share.global_size for share in step} == {len(batch.targets_b)}


@pytest.mark.parametrize("workers", [1, 4])
def test_evaluation_is_the_same_with_workers(data: DataSet, workers: int) -> None:
    view = ViewConfig(flip=True)
    alone, helped = (
        list(eval_loader(data.val, data.info, view, workers=number)) for number in (0, workers)
    )
    assert_same(alone, helped)
