from __future__ import annotations

import pickle
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from image_trees import CPU, file_info, make_arrays, write_images
from loaders import EVERYTHING, assert_same, train_loader
from nonempty import nonempty

from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.windows import mean_color
from resnext.data.bad_files import BadFiles
from resnext.data.prepare.normalise import normalise
from resnext.data.random import Draw, below, derive, epoch_order, uniform
from resnext.errors import ConfigError, DataError


@settings(max_examples=40, deadline=None)
@given(
    num=st.integers(8, 120),
    batch_size=st.integers(8, 50),
    world_size=st.integers(1, 2),
    epoch=st.integers(0, 9),
)
def test_every_image_comes_once_an_epoch_whatever_the_processes(
    num: int, batch_size: int, world_size: int, epoch: int
) -> None:
    split, info = make_arrays(num, side=2)
    made = [
        train_loader(split, info, batch_size=batch_size, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    steps = list(zip(*(one.epoch(epoch) for one in made), strict=True))
    seen = torch.cat([batch.indices_b for step in steps for batch in step])
    assert torch.equal(seen, epoch_order(num, 3, epoch))
    assert len(steps) == made[0].num_steps
    for step in steps:
        assert {batch.global_size for batch in step} == {
            sum(len(batch.targets_b) for batch in step)
        }
        assert all(len(batch.targets_b) <= made[0].largest_share for batch in step)


def test_the_batched_crop_and_flip_are_those_of_padding_and_slicing_each_image() -> None:
    split, info = make_arrays(50)
    augment = AugmentConfig(crop="pad", pad_px=3, flip=True)
    color = mean_color(info.mean)
    for batch in nonempty(train_loader(split, info, augment).epoch(2)):
        indices = batch.indices_b
        rows, columns = (
            below(7, derive(3, draw, 2), indices).tolist()
            for draw in (Draw.CROP_ROW, Draw.CROP_COLUMN)
        )
        flips = (uniform(derive(3, Draw.FLIP, 2), indices) < 0.5).tolist()
        for number, index in enumerate(indices.tolist()):
            planes = split.images_nhwc[index].permute(2, 0, 1)
            padded = torch.stack(
                [F.pad(plane, (3,) * 4, value=color[c]) for c, plane in enumerate(planes)]
            )
            row, column = rows[number], columns[number]
            expected = padded[:, row : row + 12, column : column + 12]
            expected = expected.flip(2) if flips[number] else expected
            expected = normalise(expected.unsqueeze(0), info.mean, info.std, CPU)[0]
            assert torch.equal(batch.images_bchw[number], expected)


def test_without_augmentation_the_images_are_those_of_the_split() -> None:
    split, info = make_arrays(20, channels=1)
    for batch in nonempty(train_loader(split, info).epoch(0)):
        expected = split.images_nhwc[batch.indices_b].permute(0, 3, 1, 2)
        assert torch.equal(batch.images_bchw, normalise(expected, info.mean, info.std, CPU))
        assert torch.equal(batch.targets_b, batch.indices_b)
        assert batch.images_bchw.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("augment", [AugmentConfig(), AugmentConfig(mixup=0.4)])
def test_the_channels_can_lie_outermost_with_the_same_values(augment: AugmentConfig) -> None:
    split, info = make_arrays(20)
    (usual,) = train_loader(split, info, augment, batch_size=20).epoch(0)
    (other,) = train_loader(split, info, augment, batch_size=20, channels_last=False).epoch(0)
    assert torch.equal(usual.images_bchw, other.images_bchw)
    assert other.images_bchw.is_contiguous()
    assert not usual.images_bchw.is_contiguous()


BATCHED = AugmentConfig(crop="pad", flip=True, lighting=0.1, erasing=0.5, mixup=0.2, cutmix=1.0)


@pytest.mark.parametrize("augment", [EVERYTHING, BATCHED], ids=["per sample", "batched"])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_entered_at_a_step_is_the_rest_of_the_whole_one(
    augment: AugmentConfig, workers: int
) -> None:
    split, info = make_arrays(61)
    made = train_loader(split, info, augment, workers=workers)
    whole = list(made.epoch(1))
    rest = list(made.epoch(1, first_step=5))
    assert_same(rest, whole[5:])
    assert not list(made.epoch(1, first_step=made.num_steps))


@pytest.mark.parametrize(
    "augment",
    [
        AugmentConfig(crop="resized"),
        AugmentConfig(color_jitter=0.4),
        AugmentConfig(policy="trivialaugment"),
        AugmentConfig(policy="randaugment"),
        AugmentConfig(crop="pad", pad_px=5),
        AugmentConfig(lighting=0.1),
        AugmentConfig(erasing=1.0),
    ],
    ids=str,
)
def test_one_image_is_varied_anew_by_index_epoch_and_seed(augment: AugmentConfig) -> None:
    same = make_arrays(1)[0].images_nhwc.expand(8, -1, -1, -1).contiguous()
    split, info = ArraySplit(same, torch.zeros(8, dtype=torch.int64)), make_arrays(8)[1]
    rows = [
        image.numpy().tobytes()
        for seed in range(2)
        for epoch in range(2)
        for image in next(train_loader(split, info, augment, seed=seed).epoch(epoch)).images_bchw
    ]
    # A policy leaves a few images as they are.
    assert len(set(rows)) >= 0.6 * len(rows)


@pytest.mark.parametrize("augment", [EVERYTHING, BATCHED], ids=["per sample", "batched"])
def test_early_epochs_may_have_smaller_images(augment: AugmentConfig) -> None:
    split, info = make_arrays(16)
    made = train_loader(split, info, augment)
    assert next(made.epoch(0, image_size_px=6)).images_bchw.shape == (8, 3, 6, 6)
    assert next(made.epoch(0)).images_bchw.shape == (8, 3, 12, 12)


@pytest.mark.parametrize("crop", ["none", "pad", "resized"])
def test_files_of_all_shapes_become_batches_of_one_size(tmp_path: Path, crop: Any) -> None:
    split = write_images(tmp_path, 10)
    augment = AugmentConfig(crop=crop, pad_px=2, flip=True)
    batches = list(train_loader(split, file_info(), augment, batch_size=5).epoch(0))
    assert [batch.images_bchw.shape for batch in batches] == [(5, 3, 16, 16)] * 2
    assert all(torch.equal(batch.targets_b, batch.indices_b % 2) for batch in batches)


def test_loading_leaves_the_generators_of_the_process_alone(tmp_path: Path) -> None:
    split = write_images(tmp_path, 8)
    states = torch.get_rng_state(), random.getstate(), pickle.dumps(np.random.get_state())
    for policy in ("trivialaugment", "randaugment"):
        augment = EVERYTHING.replace(policy=policy)
        for workers in (0, 1):
            list(train_loader(split, file_info(), augment, workers=workers).epoch(0))
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (random.getstate(), pickle.dumps(np.random.get_state()))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_bad_file_is_named_and_replaced_alike_each_time(tmp_path: Path, workers: int) -> None:
    split = replace(write_images(tmp_path, 12, bad=(5,)), targets_n=torch.arange(12))
    bad = BadFiles(12)
    made = train_loader(split, file_info(), batch_size=4, workers=workers, bad_files=bad)
    assert all(torch.equal(batch.targets_b, batch.indices_b) for batch in nonempty(made.epoch(0)))
    shown = [torch.cat([batch.indices_b for batch in made.epoch(epoch)]) for epoch in (0, 0, 1)]
    assert torch.equal(shown[0], shown[1])
    orders = [epoch_order(12, 3, epoch) for epoch in (0, 0, 1)]
    replacements = set()
    for got, order in zip(shown, orders, strict=True):
        assert torch.equal(got[order != 5], order[order != 5])
        replacements.add(int(got[order == 5]))
    assert len(replacements) == 1
    assert replacements != {5}
    assert [row["path"] for row in bad.rows] == [str(tmp_path / split.names[5])]


@pytest.mark.parametrize("workers", [0, 1])
def test_more_than_one_per_cent_of_bad_files_stop_the_epoch(tmp_path: Path, workers: int) -> None:
    split = write_images(tmp_path, 12, bad=(1, 5, 7))
    with pytest.raises(DataError, match="2 of 12 files are bad"):
        list(train_loader(split, file_info(), batch_size=4, workers=workers).epoch(0))


def test_a_split_without_one_good_file_is_refused(tmp_path: Path) -> None:
    split = write_images(tmp_path, 1, bad=(0,))
    with pytest.raises(DataError, match="no image file could be read"):
        list(train_loader(split, file_info()).epoch(0))


def test_lighting_is_refused_for_grey_images() -> None:
    split, info = make_arrays(8, channels=1)
    with pytest.raises(ConfigError, match=r"lighting=0\.1"):
        train_loader(split, info, AugmentConfig(lighting=0.1))


def test_batches_too_small_for_the_processes_are_refused() -> None:
    split, info = make_arrays(8)
    with pytest.raises(ConfigError, match="too small for 4 processes"):
        train_loader(split, info, batch_size=4, world_size=4)
