"""Batches with masks: a function of seed, epoch and image; whole images in evaluation."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_folders import draw_shapes, write_shapes
from PIL import Image

from resnext.data.augment.config import AugmentConfig
from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.loading.whole_loader import WholeLoader, eval_loader
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.data.split import DataSet
from resnext.data.targets import IGNORED
from resnext.errors import ConfigError

CPU = torch.device("cpu")
RED = 0.9
"""After normalising to a deviation of 1: what only the disc has in its first channel."""


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    write_shapes(tmp_path, num=20)
    found = load_data(parse_data(str(tmp_path)).replace(image_size_px=16))
    info = found.info
    plain = type(info)(info.name, info.classes, 3, 16, (0.0,) * 3, (1.0,) * 3, "mask")
    return DataSet(plain, found.train, found.val)


def train_batches(
    data: DataSet, *, rank: int = 0, world_size: int = 1, first_step: int = 0, **changes: object
) -> list[Batch]:
    augment = AugmentConfig(crop="scaled", flip=True).replace(**changes)
    config = TrainLoaderConfig(
        augment=augment, seed=3, batch_size=6, device=CPU, rank=rank, world_size=world_size
    )
    return list(TrainLoader(data.train, data.info, config).epoch(1, first_step))


def test_masks_are_mirrored_and_cut_like_their_images(data: DataSet) -> None:
    batches = train_batches(data, scale=(1.0, 1.0))
    seen = Counter[int]()
    for batch in batches:
        is_disc = batch.targets_b == 1
        red = (batch.images_bchw[:, 0] > 0.8) & (batch.images_bchw[:, 1] < 0.3)
        is_known = batch.targets_b != IGNORED
        # At the scale of the file no pixel is interpolated, so colours say the class exactly.
        assert torch.equal(is_disc & is_known, red & is_known)
        assert batch.targets_b.dtype == torch.uint8
        seen.update(batch.indices_b.tolist())
    assert sum(seen.values()) == len(data.train)
    assert int((torch.cat([batch.targets_b for batch in batches]) == 1).sum()) > 50


def test_two_processes_see_what_one_sees(data: DataSet) -> None:
    shares = [train_batches(data, rank=rank, world_size=2) for rank in range(2)]
    for whole, *parts in zip(train_batches(data), *shares, strict=True):
        assert torch.equal(torch.cat([part.targets_b for part in parts]), whole.targets_b)
        assert torch.equal(torch.cat([part.images_bchw for part in parts]), whole.images_bchw)


def test_an_epoch_that_goes_on_repeats_its_steps(data: DataSet) -> None:
    whole, rest = train_batches(data), train_batches(data, first_step=2)
    for one, other in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.targets_b, other.targets_b)
        assert torch.equal(one.images_bchw, other.images_bchw)


def test_a_damaged_mask_has_its_image_replaced(data: DataSet) -> None:
    split = data.train
    assert split.files is not None
    path = split.files.root / "masks" / f"{Path(split.name(0)).stem}.png"
    path.write_bytes(b"nothing")
    bad_files = BadFiles(len(split))
    config = TrainLoaderConfig(augment=AugmentConfig(), seed=0, batch_size=6, device=CPU)
    batches = list(TrainLoader(split, data.info, config, bad_files).epoch(0))
    assert sum(len(batch.targets_b) for batch in batches) == len(split)
    assert 0 not in torch.cat([batch.indices_b for batch in batches])
    assert [Path(row["path"]).name for row in bad_files.rows] == [Path(split.name(0)).name]


def test_whole_images_of_one_size_share_a_batch(data: DataSet) -> None:
    config = LoaderConfig(batch_size=4, device=CPU)
    loader = eval_loader(data.train, data.info, ViewConfig(), config)
    assert isinstance(loader, WholeLoader)
    seen = []
    for batch in loader:
        assert len(batch.targets_b) <= 4
        for image, mask, index in zip(
            batch.images_bchw, batch.targets_b, batch.indices_b.tolist(), strict=True
        ):
            number = int(Path(data.train.name(index)).stem)
            pixels, wanted = draw_shapes(number, 24, 24 + 4 * (number % 2))
            assert np.array_equal(mask.numpy(), wanted)
            assert np.allclose(image.permute(1, 2, 0).numpy() * 255, pixels, atol=1e-3)
            seen.append(index)
    assert sorted(seen) == list(range(len(data.train)))
    assert len(loader) == len(list(loader))


def test_processes_share_the_images_without_padding(data: DataSet) -> None:
    seen = Counter[int]()
    for rank in range(3):
        config = LoaderConfig(batch_size=4, device=CPU, rank=rank, world_size=3)
        for batch in WholeLoader(data.train, data.info, ViewConfig(), config):
            seen.update(batch.indices_b.tolist())
    assert seen == Counter(range(len(data.train)))


def test_views_of_crops_are_refused(data: DataSet) -> None:
    config = LoaderConfig(batch_size=4, device=CPU)
    for view in (ViewConfig(flip=True), ViewConfig(ten_crop=True), ViewConfig(resize_px=30)):
        with pytest.raises(ConfigError, match="whole images at their own size"):
            WholeLoader(data.train, data.info, view, config)


def test_windows_need_masks(tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(4):
            Image.new("RGB", (8, 8)).save(tmp_path / label / f"{number}.png")
    data = load_data(parse_data(str(tmp_path)))
    config = TrainLoaderConfig(
        augment=AugmentConfig(crop="scaled"), seed=0, batch_size=2, device=CPU
    )
    with pytest.raises(ConfigError, match="crop=scaled is for images with masks or boxes"):
        TrainLoader(data.train, data.info, config)
