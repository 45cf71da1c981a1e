from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from resnext.data.config import ViewConfig
from resnext.data.prepare.geometry import resize_short_side
from resnext.data.prepare.preparation import Preparation
from resnext.data.prepare.single import prepare_views
from resnext.data.prepare.views import (
    View,
    resolve_view,
    take_views,
    view_of_card,
    view_of_training,
)
from resnext.errors import ConfigError
from resnext.model.card import Interpolation, ModelCard


def picture(width: int, height: int) -> Image.Image:
    generator = np.random.default_rng(width * height)
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(90, 60), (60, 91), (64, 64), (33, 200), (20, 25)])
def test_a_centre_crop_has_the_pixels_of_torchvisions(size: tuple[int, int]) -> None:
    image = picture(*size)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32), 224)
    expected = v2.CenterCrop(28)(v2.Resize(32)(image))
    assert np.array_equal(prepare_views(image, view)[0].numpy(), np.asarray(expected))


def test_ten_crops_are_torchvisions() -> None:
    image = picture(50, 40)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32, ten_crop=True), 224)
    got = {crop.numpy().tobytes() for crop in prepare_views(image, view)}
    expected = {np.asarray(crop).tobytes() for crop in v2.TenCrop(28)(v2.Resize(32)(image))}
    assert len(got) == 10
    assert got == expected


@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
def test_the_filter_of_the_resize_is_the_one_asked_for(name: Interpolation) -> None:
    image = picture(50, 40)
    view = resolve_view(ViewConfig(size_px=28, resize_px=32, interpolation=name), 28)
    resize = v2.Resize(32, interpolation=v2.InterpolationMode(name))
    expected = np.asarray(v2.CenterCrop(28)(resize(image)))
    assert np.array_equal(prepare_views(image, view)[0].numpy(), expected)


def test_flip_adds_the_mirrored_crop_right_after_its_original() -> None:
    images = torch.randn(3, 1, 4, 4)
    views = take_views(images, View(Preparation(4), ViewConfig(flip=True)))
    assert torch.equal(views[0::2], images)
    assert torch.equal(views[1::2], images.flip(3))


@pytest.mark.parametrize(
    ("config", "is_enlarged", "resize_px"),
    [
        (ViewConfig(), True, 256),
        (ViewConfig(size_px=320), True, 366),
        (ViewConfig(), False, 224),
        (ViewConfig(size_px=320), False, 320),
        (ViewConfig(ten_crop=True), False, 256),
        (ViewConfig(resize_px=230), True, 230),
    ],
)
def test_training_validates_files_at_eight_sevenths_of_the_crop_if_its_crops_enlarge(
    config: ViewConfig, is_enlarged: bool, resize_px: int
) -> None:
    view = view_of_training(config, 224, is_memory=False, is_enlarged=is_enlarged)
    assert view.resize_px == resize_px
    assert view_of_training(config, 224, is_memory=True, is_enlarged=is_enlarged) == config


def test_the_view_is_that_of_the_card_unless_a_size_is_given() -> None:
    card = ModelCard(image_size_px=224, resize_px=256, interpolation="bicubic")
    settled = ViewConfig(size_px=224, resize_px=256, interpolation="bicubic")
    assert view_of_card(ViewConfig(), card) == settled
    assert view_of_card(ViewConfig(size_px=224), card) == settled
    assert view_of_card(ViewConfig(interpolation="bilinear"), card).interpolation == "bilinear"
    assert view_of_card(ViewConfig(flip=True), card).flip
    assert view_of_card(ViewConfig(resize_px=300), card).resize_px == 300
    larger = ViewConfig(size_px=320)
    assert view_of_card(larger, card) == settled.replace(size_px=320, resize_px=366)


@pytest.mark.parametrize("size_px", [None, 32, 40])
def test_a_card_without_a_resize_never_gets_one(size_px: int | None) -> None:
    card = ModelCard(image_size_px=32, resize_px=None)
    view = resolve_view(view_of_card(ViewConfig(size_px=size_px), card), 224)
    assert view.preparation.short_side_px == (size_px or 32)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ViewConfig(size_px=32, resize_px=28), "smaller than the crop"),
        (ViewConfig(size_px=32, resize_px=32, ten_crop=True), "all crops are the same"),
    ],
)
def test_views_that_contradict_themselves_are_refused(config: ViewConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_view(config, 224)


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1), (3, 5000)])
def test_extreme_shapes_are_cut_before_they_are_resized(size: tuple[int, int]) -> None:
    resized = resize_short_side(picture(*size), 32)
    assert min(resized.size) == 32
    assert max(resized.size) <= 320
