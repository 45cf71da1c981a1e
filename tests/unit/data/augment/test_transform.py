from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_config import TINY
from torchvision.transforms import v2

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.transform import SampleTransform, resized_crop
from resnext.data.config import DataConfig
from resnext.data.decode.image import Photo, decode_bytes
from resnext.data.decode.jpeg import Box
from resnext.data.random import Draw, derive
from resnext.data.sets.load import load_data
from resnext.errors import DataError
from resnext.runs.config import TrainConfig
from resnext.runs.runtime import Runtime
from resnext.training.train import assemble, resolve


def photograph(width: int = 320, height: int = 240) -> Image.Image:
    """Something like a photograph: waves of many lengths, most of them long."""
    y, x = np.mgrid[0:height, 0:width]
    waves = sum(
        40 * np.sin(x / length + y / (2.5 * length))[:, :, None] * np.array([1.0, 0.7, -0.8])
        for length in (8, 20, 50)
    )
    return Image.fromarray(np.clip(waves + 128, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(image: Image.Image, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, quality=95, exif=exif)


def by_torchvision(data: bytes, size_px: int, seed: int) -> np.ndarray:
    """The crop of the usual pipeline, from the whole image."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return np.asarray(v2.RandomResizedCrop(size_px)(decode_bytes(data))).astype(int)


def by_pillow(data: bytes, size_px: int, seed: int) -> np.ndarray:
    """The same with no decoder but Pillow's."""
    with torch.random.fork_rng(devices=[]), Image.open(io.BytesIO(data)) as image:
        torch.default_generator.manual_seed(seed)
        return np.asarray(v2.RandomResizedCrop(size_px)(image.convert("RGB"))).astype(int)


def ours(data: bytes, size_px: int, seed: int, *, exact: bool) -> np.ndarray:
    augment = AugmentConfig(crop="resized")
    transform = SampleTransform(augment, [0, 0, 0], keep_size=False, exact=exact)
    with torch.random.fork_rng(devices=[]):
        return transform(Photo(data), size_px, seed).numpy().astype(int)


@given(seed=st.integers(0, 2**62), size_px=st.sampled_from([16, 57, 128]))
@settings(max_examples=40, deadline=None)
def test_the_exact_crop_is_torchvision_s_of_the_same_seed(seed: int, size_px: int) -> None:
    data = encoded(photograph(), quality=90)
    assert np.array_equal(ours(data, size_px, seed, exact=True), by_pillow(data, size_px, seed))


@given(seed=st.integers(0, 2**62), size_px=st.sampled_from([300, 400]))
@settings(max_examples=20, deadline=None)
def test_at_full_scale_the_fast_crop_differs_from_the_exact_one_by_rounding(
    seed: int, size_px: int
) -> None:
    data = encoded(photograph(), quality=90)
    fast, exact = (ours(data, size_px, seed, exact=choice) for choice in (False, True))
    # Both filters work in integers, one with 8 bits between its two passes.
    assert np.abs(fast - exact).max() <= 2


@given(seed=st.integers(0, 2**62))
@settings(max_examples=40, deadline=None)
def test_a_coarser_scale_shows_the_same_crop(seed: int) -> None:
    data = encoded(photograph(), quality=90)
    coarse, exact = (ours(data, 24, seed, exact=choice) for choice in (False, True))
    assert np.abs(coarse - exact).mean() < 3


def test_a_coarser_scale_is_taken_where_it_leaves_enough_pixels() -> None:
    photo = Photo(encoded(photograph()))
    assert photo.crop(Box(1, 2, 201, 101), 2)[0].shape == (51, 101, 3)
    assert photo.crop(Box(1, 2, 201, 101), 4)[1] == 4


def test_a_coarser_crop_is_placed_to_a_fraction_of_a_pixel() -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 256)[None, :, None], (256, 256, 3))
    photo = Photo(encoded(Image.fromarray(ramp.astype(np.uint8)), quality=95))
    means = [
        resized_crop(photo, Box(left, 0, 240, 240), 30, exact=False)[:, 2:-2].double().mean()
        for left in range(8)
    ]
    # One pixel further right, a ramp of one grey level a pixel is one level brighter.
    assert np.diff(means) == pytest.approx(np.ones(7), abs=0.35)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_other_formats_are_cropped_from_their_full_size(kind: str) -> None:
    data = encoded(photograph(), kind)
    for exact in (False, True):
        difference = ours(data, 24, 5, exact=exact) - by_torchvision(data, 24, 5)
        assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_crop_is_drawn_from_the_image_the_right_way_up(orientation: int) -> None:
    data = turned(photograph(), orientation)
    assert Photo(data).size == decode_bytes(data).size
    difference = ours(data, 100, 3, exact=True) - by_torchvision(data, 100, 3)
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_files_are_cropped_in_color(mode: str) -> None:
    data = encoded(photograph().convert(mode), quality=95)
    difference = ours(data, 100, 3, exact=True) - by_torchvision(data, 100, 3)
    assert np.abs(difference).max() <= 2


def test_a_network_for_grey_images_gets_one_channel() -> None:
    transform = SampleTransform(AugmentConfig(crop="resized"), [0], keep_size=False)
    with torch.random.fork_rng(devices=[]):
        assert transform(Photo(encoded(photograph()), in_channels=1), 24, 0).shape == (24, 24, 1)
        image = photograph().convert("L")
        assert transform(image, 24, 0).shape == (24, 24, 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_torn_file_is_bad_whatever_the_crop(seed: int) -> None:
    data = encoded(photograph())
    for kept in (0.5, 0.9, 0.999):
        with pytest.raises(DataError):
            ours(data[: int(len(data) * kept)], 24, seed, exact=False)


def test_colors_vary_after_the_crop_by_the_same_seed() -> None:
    augment = AugmentConfig(crop="resized", color_jitter=0.4, policy="trivialaugment")
    transform = SampleTransform(augment, [0, 0, 0], keep_size=False)
    photo = Photo(encoded(photograph()))
    with torch.random.fork_rng(devices=[]):
        first, again, other = (transform(photo, 32, seed) for seed in (1, 1, 2))
    assert first.shape == (32, 32, 3)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_setting_exact_trains_on_the_pixels_of_pillow_and_torchvision(
    tmp_path: Path, workers: int
) -> None:
    for number in range(12):
        path = tmp_path / ("train", "val")[number % 2] / "ab"[number % 4 // 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(photograph(320 + 8 * number), quality=90))
    config = DataConfig(name="folder", root=tmp_path, image_size_px=24, decode="exact")
    assert DataConfig(**config.model_dump(mode="json")).decode == "exact"
    found = {
        decode: batch_of(config.replace(decode=decode), workers) for decode in ("fast", "exact")
    }
    names = ["a/0.jpg", "a/4.jpg", "a/8.jpg", "b/10.jpg", "b/2.jpg", "b/6.jpg"]
    keys = [derive(7, Draw.TRANSFORM, 0, index) for index in range(6)]
    expected = [
        by_pillow((tmp_path / "train" / name).read_bytes(), 24, key)
        for name, key in zip(names, keys, strict=True)
    ]
    assert np.array_equal(found["exact"], np.stack(expected))
    assert not np.array_equal(found["fast"], np.stack(expected))


def batch_of(config: DataConfig, workers: int) -> np.ndarray:
    """Return the six training images in 0..255, in the order of the split."""
    data = config.replace(mean=(0.0,) * 3, std=(1.0,) * 3, workers=workers)
    augment = AugmentConfig(crop="resized")
    settings = TrainConfig(model=TINY, data=data, augment=augment, batch_size=6, seed=7)
    loaded = load_data(data)
    runtime = Runtime(torch.device("cpu"), torch.float32)
    loader = assemble(resolve(settings, loaded.info), loaded, runtime, None)[2].train
    (batch,) = loader.epoch(0)
    images_bchw = batch.images_bchw[batch.indices_b.argsort()]
    return (images_bchw * 255).round().permute(0, 2, 3, 1).numpy().astype(int)
