"""The promise of the loaders: the same batches with any number of workers and processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from resnext.data.config import AugmentConfig, DataConfig, ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.loader import EvalLoader, TrainLoader
from resnext.data.sets.load import load_data
from resnext.data.split import ArraySplit, DataSet

CPU = torch.device("cpu")
EVERYTHING = AugmentConfig(
    crop="resized",
    flip=True,
    color_jitter=0.4,
    lighting=0.1,
    policy="randaugment",
    erasing=0.5,
    mixup=0.2,
    cutmix=1.0,
)
AUGMENTS = {
    "everything": EVERYTHING,
    "trivialaugment, padded crop": EVERYTHING.replace(crop="pad", policy="trivialaugment"),
    "nothing": AugmentConfig(),
}


def write_photos(root: Path) -> None:
    """Write 66 JPEG and PNG images of two classes, one of them torn."""
    generator = np.random.default_rng(1)
    for number in range(66):
        folder = root / ("train" if number < 46 else "val") / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((50 + number, 40))
        image.save(folder / f"{number}.{'png' if number % 3 else 'jpg'}")
    torn = root / "train" / "cat" / "10.png"
    torn.write_bytes(torn.read_bytes()[:200])


@pytest.fixture(params=["files", "in memory"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> DataSet:
    if request.param == "files":
        write_photos(tmp_path)
        return load_data(DataConfig(name="folder", root=tmp_path, image_size_px=24))
    digits = load_data(DataConfig())
    assert isinstance(digits.train, ArraySplit)
    color = digits.train.images_nhwc[:50].expand(-1, -1, -1, 3).contiguous()
    split = ArraySplit(color, digits.train.labels_n[:50])
    mean, std = digits.info.mean * 3, digits.info.std * 3
    return DataSet(replace(digits.info, in_channels=3, mean=mean, std=std), split, split)


def train_batches(data: DataSet, augment: AugmentConfig, **place: Any) -> list[Batch]:
    loader = TrainLoader(
        data.train,
        data.info,
        augment,
        batch_size=15,
        seed=7,
        image_size_px=data.info.image_size_px,
        device=CPU,
        **place,
    )
    return list(loader.epoch(1))


def joined(batches: list[Batch]) -> list[torch.Tensor | None]:
    """Put the batches one behind another, field by field."""
    fields = ("images_bchw", "labels_b", "indices_b", "other_labels_b", "kept_b")
    columns = [[getattr(batch, field) for batch in batches] for field in fields]
    return [None if column[0] is None else torch.cat(column) for column in columns]


def assert_same(left: list[Batch], right: list[Batch]) -> None:
    for one, other in zip(joined(left), joined(right), strict=True):
        if one is None or other is None:
            assert one is other
        else:
            assert torch.equal(one, other)


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
    assert_same(whole, in_order)
    for batch, step in zip(whole, zip(*shares, strict=True), strict=True):
        assert {share.global_size for share in step} == {len(batch.labels_b)}


@pytest.mark.parametrize("workers", [1, 4])
def test_evaluation_is_the_same_with_workers(data: DataSet, workers: int) -> None:
    def batches(workers: int) -> list[Batch]:
        view = ViewConfig(flip=True)
        loader = EvalLoader(data.val, data.info, view, batch_size=6, device=CPU, workers=workers)
        return list(loader)

    assert_same(batches(0), batches(workers))
