from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from resnext.data.config import ViewConfig
from resnext.data.geometry import resize_short_side
from resnext.data.single import prepare_image, prepare_views, to_hwc
from resnext.data.views import View, resolve_view, take_views
from resnext.errors import ConfigError, DataError
from resnext.model.card import Interpolation


def picture(width: int, height: int) -> Image.Image:
    generator = np.random.default_rng(width * height)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(90, 60), (60, 91), (64, 64), (33, 200), (20, 25)])
def test_a_centre_crop_has_the_pixels_of_torchvisions(size: tuple[int, int]) -> None:
    image = picture(*size)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32), 224, is_files=True)
    expected = v2.CenterCrop(28)(v2.Resize(32)(image))
    assert np.array_equal(prepare_views(image, view)[0].numpy(), np.asarray(expected))


def test_ten_crops_are_torchvisions() -> None:
    image = picture(50, 40)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32, ten_crop=True), 224, is_files=True)
    got = {crop.numpy().tobytes() for crop in prepare_views(image, view)}
    expected = {np.asarray(crop).tobytes() for crop in v2.TenCrop(28)(v2.Resize(32)(image))}
    assert len(got) == 10
    assert got == expected


@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_the_filter_of_the_resize_is_the_one_asked_for(name: Interpolation) -> None:
    image = picture(50, 40)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32, interpolation=name), 28, is_files=True)
    resize = v2.Resize(32, interpolation=v2.InterpolationMode(name))
    expected = np.asarray(v2.CenterCrop(28)(resize(image)))
    assert np.array_equal(prepare_views(image, view)[0].numpy(), expected)


def test_flip_adds_the_mirrored_crop_right_after_its_original() -> None:
    images = torch.randn(3, 1, 4, 4)
    views = take_views(images, View(4, None, "bilinear", ViewConfig(flip=True)))
    assert torch.equal(views[0::2], images)
    assert torch.equal(views[1::2], images.flip(3))


def test_files_are_resized_to_eight_sevenths_of_the_crop() -> None:
    assert resolve_view(ViewConfig(), 224, is_files=True).resize_px == 256
    assert resolve_view(ViewConfig(size_px=320), 224, is_files=True).resize_px == 366
    assert resolve_view(ViewConfig(), 32, is_files=False).resize_px is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ViewConfig(size_px=32, resize_px=28), "smaller than the crop"),
        (ViewConfig(size_px=32, resize_px=32, ten_crop=True), "all crops are the same"),
    ],
)
def test_views_that_contradict_themselves_are_refused(config: ViewConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_view(config, 224, is_files=True)


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1), (3, 5000)])
def test_extreme_shapes_are_cut_before_they_are_resized(size: tuple[int, int]) -> None:
    resized = resize_short_side(picture(*size), 32)
    assert min(resized.size) == 32
    assert max(resized.size) <= 320


@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "L")])
def test_an_image_is_prepared_for_prediction_as_evaluation_does(
    tmp_path: Path, channels: int, mode: str
) -> None:
    picture(70, 50).save(tmp_path / "image.png")
    got = prepare_image(tmp_path / "image.png", 28, 32, channels)
    assert got.dtype == torch.uint8
    assert got.shape == (channels, 28, 28)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32), 224, is_files=True)
    expected = prepare_views(picture(70, 50).convert(mode), view)[0]
    assert torch.equal(got, expected.permute(2, 0, 1))


def test_without_a_resize_the_image_has_the_size_of_the_crop(tmp_path: Path) -> None:
    picture(28, 28).save(tmp_path / "image.png")
    expected = to_hwc(picture(28, 28)).permute(2, 0, 1)
    assert torch.equal(prepare_image(tmp_path / "image.png", 28), expected)


def test_a_bad_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"torn\.jpg"):
        prepare_image(tmp_path / "torn.jpg", 28)
