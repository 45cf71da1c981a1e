"""Loaders with the settings that tests seldom change, and the comparison of their batches."""

from __future__ import annotations

from typing import Any

import torch
from image_trees import CPU

from resnext.data.augment.config import AugmentConfig
from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.split import DataInfo, Split

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


def train_loader(
    split: Split,
    info: DataInfo,
    augment: AugmentConfig | None = None,
    bad_files: BadFiles | None = None,
    **options: Any,
) -> TrainLoader:
    options = {"batch_size": 8, "seed": 3, "device": CPU, **options}
    config = TrainLoaderConfig(augment=augment or AugmentConfig(), **options)
    return TrainLoader(split, info, config, bad_files)


def eval_loader(
    split: Split,
    info: DataInfo,
    view: ViewConfig | None = None,
    bad_files: BadFiles | None = None,
    **options: Any,
) -> EvalLoader:
    config = LoaderConfig(**{"batch_size": 6, "device": CPU, **options})
    return EvalLoader(split, info, view or ViewConfig(), config, bad_files)


def assert_same(left: list[Batch], right: list[Batch]) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        for field in ("images_bchw", "targets_b", "indices_b", "other_targets_b", "kept_b"):
            a, b = getattr(one, field), getattr(other, field)
            assert a is b if a is None or b is None else torch.equal(a, b)
