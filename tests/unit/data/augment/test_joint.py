"""Image and mask are scaled, cut and filled up alike."""

import numpy as np
import pytest
import torch
from PIL import Image

from resnext.data.augment.config import AugmentConfig
from resnext.data.augment.joint import JointTransform, window_of
from resnext.data.targets import IGNORED
from resnext.errors import ConfigError, DataError

SCALED = AugmentConfig(crop="scaled")


def halves(height: int, width: int) -> tuple[Image.Image, np.ndarray]:
    """Return an image that is white where its mask is 1, with an edge along both directions."""
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[height // 2 :, width // 3 :] = 1
    return Image.fromarray(np.repeat(255 * mask[:, :, None], 3, axis=2)), mask


@pytest.mark.parametrize("size", [(40, 60), (13, 90), (90, 13), (7, 5)])
def test_every_pixel_keeps_the_class_it_shows(size: tuple[int, int]) -> None:
    image, mask = halves(*size)
    transform = JointTransform(SCALED, [128, 128, 128])
    for seed in range(40):
        pixels, classes = transform(image, mask, 32, seed)
        assert pixels.shape == (32, 32, 3)
        assert classes.shape == (32, 32)
        assert set(classes.flatten().tolist()) <= {0, 1, IGNORED}
        is_filled = classes == IGNORED
        assert bool((pixels[is_filled] == 128).all())
        bright = pixels[:, :, 0] > 127
        differs = (bright != (classes == 1)) & ~is_filled
        # Antialiasing may decide otherwise for the pixels that the edge cuts through.
        assert int(differs.sum()) <= 2 * 32 + 2


def test_without_scaling_the_middle_is_cut_out_pixel_by_pixel() -> None:
    rows = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    image, mask = Image.fromarray((rows % 251).astype(np.uint8)), (rows % 7).astype(np.uint8)
    pixels, classes = JointTransform(AugmentConfig(), [0])(image, mask, 10, seed=0)
    assert np.array_equal(pixels[:, :, 0].numpy(), (rows % 251)[5:15, 10:20])
    assert np.array_equal(classes.numpy(), (rows % 7)[5:15, 10:20])


def test_a_small_image_lies_in_a_frame_without_class() -> None:
    image, mask = Image.new("RGB", (4, 6), "white"), np.ones((6, 4), dtype=np.uint8)
    pixels, classes = JointTransform(AugmentConfig(), [9, 8, 7])(image, mask, 10, seed=0)
    assert int((classes == 1).sum()) == 24
    assert int((classes == IGNORED).sum()) == 76
    assert bool((pixels[classes == 1] == 255).all())
    assert pixels[classes == IGNORED].tolist() == [[9, 8, 7]] * 76


def test_the_scale_stays_within_its_bounds() -> None:
    image, mask = halves(200, 200)
    transform = JointTransform(SCALED.replace(scale=(0.5, 0.5)), [0, 0, 0])
    _, classes = transform(image, mask, 100, seed=3)
    # All of the image, at half its size: a quarter of the pixels each way.
    assert int((classes == 1).sum()) == pytest.approx(mask.sum() / 4, rel=0.02)
    assert IGNORED not in classes


def test_a_seed_decides_all() -> None:
    image, mask = halves(50, 40)
    transform = JointTransform(SCALED.replace(color_jitter=0.4), [0, 0, 0])
    one, two, other = (transform(image, mask, 24, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], other[0])


def test_a_window_lies_within_the_image() -> None:
    for draw in (0.0, 0.5, 0.999999, 1.0):
        window = window_of((30, 20), (60, 10), 16, (draw, draw))
        left, top, right, bottom = window.box
        assert 0 <= left < right <= 30
        assert (top, bottom) == (0, 20)
        assert window.place[1] + window.place[3] <= 16


def test_a_mask_of_another_size_is_bad() -> None:
    with pytest.raises(DataError, match="does not have the size"):
        JointTransform(SCALED, [0])(Image.new("L", (4, 4)), np.zeros((4, 5), np.uint8), 4, seed=0)


@pytest.mark.parametrize(
    "change",
    [
        *({"crop": "resized"}, {"crop": "pad"}, {"policy": "randaugment"}),
        *({"erasing": 0.1}, {"mixup": 0.2}, {"cutmix": 1.0}),
    ],
)
def test_what_would_part_image_and_mask_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"cannot be combined with masks.*crop=scaled"):
        JointTransform(SCALED.replace(**change), [0])
