from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_trees import CPU, file_info, make_arrays, write_images
from loaders import eval_loader
from PIL import Image
from prepared_image import prepare_image

from resnext.data.bad_files import BadFiles
from resnext.data.config import ViewConfig
from resnext.data.prepare.normalise import normalise
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.single import to_hwc
from resnext.errors import DataError
from resnext.model.card import Interpolation


@settings(max_examples=30, deadline=None)
@given(num=st.integers(1, 60), batch_size=st.integers(1, 20), world_size=st.integers(1, 4))
def test_all_processes_together_see_every_image_once(
    num: int, batch_size: int, world_size: int
) -> None:
    split, info = make_arrays(num, side=2)
    seen = []
    for rank in range(world_size):
        made = eval_loader(split, info, batch_size=batch_size, rank=rank, world_size=world_size)
        batches = list(made)
        assert len(batches) == len(made)
        own = [index for batch in batches for index in batch.indices_b.tolist()]
        assert own == list(range(rank, num, world_size))
        seen += own
    assert sorted(seen) == list(range(num))


def test_images_in_memory_are_normalised_and_nothing_else() -> None:
    split, info = make_arrays(5)
    (batch,) = eval_loader(split, info, batch_size=9)
    expected = normalise(split.images_nhwc.permute(0, 3, 1, 2), info.mean, info.std, CPU)
    assert torch.equal(batch.images_bchw, expected)
    assert batch.images_bchw.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("view", [ViewConfig(), ViewConfig(flip=True)])
def test_the_channels_can_lie_outermost_with_the_same_values(view: ViewConfig) -> None:
    split, info = make_arrays(5)
    (usual,) = eval_loader(split, info, view, batch_size=9)
    (other,) = eval_loader(split, info, view, batch_size=9, channels_last=False)
    assert torch.equal(usual.images_bchw, other.images_bchw)
    assert other.images_bchw.is_contiguous()
    assert not usual.images_bchw.is_contiguous()


@pytest.mark.parametrize("size_px", [7, 23])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_images_in_memory_of_another_size_are_resized_as_those_of_files(
    size_px: int, interpolation: Interpolation
) -> None:
    split, info = make_arrays(5)
    view = ViewConfig(size_px=size_px, interpolation=interpolation)
    (batch,) = eval_loader(split, info, view, batch_size=9)
    preparation = Preparation(size_px, None, interpolation)
    images = [preparation.crop(Image.fromarray(pixels.numpy())) for pixels in split.images_nhwc]
    pixels_bchw = torch.stack([to_hwc(image) for image in images]).permute(0, 3, 1, 2)
    expected = normalise(pixels_bchw, info.mean, info.std, CPU)
    assert torch.equal(batch.images_bchw, expected)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("crops", [{}, {"flip": True}, {"ten_crop": True}])
def test_files_have_their_views_together(
    tmp_path: Path, workers: int, crops: dict[str, bool]
) -> None:
    split, view = write_images(tmp_path, 7), ViewConfig(resize_px=16, **crops)
    info = file_info(14)
    made = eval_loader(split, info, view, batch_size=3, workers=workers)
    assert (made.size_px, made.resize_px, made.num_views) == (14, 16, view.num_views)
    batches = list(made)
    assert [len(batch.targets_b) for batch in batches] == [3, 3, 1]
    images = torch.cat([batch.images_bchw for batch in batches])
    assert images.shape == (7 * view.num_views, 3, 14, 14)
    assert all(batch.num_views == view.num_views for batch in batches)
    centre = 4 if view.ten_crop else 0
    for number, name in enumerate(split.names):
        expected = normalise(prepare_image(tmp_path / name, 14, 16)[None], info.mean, info.std, CPU)
        assert torch.equal(images[number * view.num_views + centre], expected[0])


def test_views_of_images_in_memory_are_cut_from_the_resized_ones() -> None:
    split, info = make_arrays(3)
    view = ViewConfig(size_px=12, resize_px=16, ten_crop=True)
    (batch,) = eval_loader(split, info, view, batch_size=3)
    resized = Preparation(16).resize(Image.fromarray(split.images_nhwc[1].numpy()))
    whole = normalise(to_hwc(resized).permute(2, 0, 1)[None], info.mean, info.std, CPU)[0]
    assert torch.equal(batch.images_bchw[10], whole[:, :12, :12])
    assert torch.equal(batch.images_bchw[15], whole[:, :12, :12].flip(2))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_file_is_left_out_and_reported(tmp_path: Path, workers: int) -> None:
    split = write_images(tmp_path, 6, bad=(2,))
    bad = BadFiles(6)
    made = eval_loader(split, file_info(), bad_files=bad, batch_size=1, workers=workers)
    assert [int(batch.indices_b) for batch in made] == [0, 1, 3, 4, 5]
    assert [row["path"] for row in bad.rows] == [str(tmp_path / split.names[2])]


def test_too_many_bad_files_stop_the_evaluation(tmp_path: Path) -> None:
    split = write_images(tmp_path, 6, bad=(2, 3))
    with pytest.raises(DataError, match="2 of 6 files are bad"):
        list(eval_loader(split, file_info(), batch_size=4))
