from __future__ import annotations

import pytest
import torch

from resnext.data.augment.batch import BatchAugmenter
from resnext.data.augment.config import AugmentConfig
from resnext.data.split import DataInfo

CPU = torch.device("cpu")
INFO = DataInfo("test", ("a", "b"), 3, 8, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
NUM = 4000


def finisher(**augment: object) -> BatchAugmenter:
    return BatchAugmenter(AugmentConfig(**augment), INFO, 0, CPU)


def ramp(num: int = NUM, side: int = 8) -> torch.Tensor:
    """Images that brighten from left to right."""
    columns = torch.arange(side, dtype=torch.uint8) * 20
    return columns.view(1, 1, side, 1).expand(num, side, side, 3).contiguous()


def test_half_of_the_images_are_mirrored() -> None:
    out = finisher(flip=True).finish(ramp(), torch.arange(NUM), 0, 8)
    share = float((out[:, 0, 0, 0] > out[:, 0, 0, -1]).float().mean())
    assert share == pytest.approx(0.5, abs=0.03)


def test_every_place_of_the_padded_crop_is_equally_likely() -> None:
    # A bright dot in the middle: where it lands shows the place of the crop.
    images = torch.zeros(NUM, 9, 9, 3, dtype=torch.uint8)
    images[:, 4, 4] = 255
    made = finisher(crop="pad", pad_px=2)
    numbers = torch.arange(NUM)
    out = made.crop(made.pad(images), numbers, numbers, 0)
    places = (out[..., 0] == 255).float().mean(dim=0)
    assert float(places[2:7, 2:7].min()) > 0.7 / 25
    assert float(places[2:7, 2:7].sum()) == pytest.approx(1.0)


def test_lighting_adds_a_color_along_the_principal_components() -> None:
    plain = finisher().finish(ramp(), torch.arange(NUM), 0, 8)
    lit = finisher(lighting=0.1).finish(ramp(), torch.arange(NUM), 0, 8)
    offsets = (lit - plain) * torch.tensor(INFO.std)[:, None, None]
    assert float(offsets.std(dim=(2, 3)).max()) < 1e-6  # one color for the whole image
    # Covariance of V diag(e) a with a of deviation 0.1 is 0.01 V diag(e^2) V^T.
    covariance = torch.cov(offsets[:, :, 0, 0].T)
    vectors = torch.tensor(
        [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
    )
    values = torch.tensor([0.2175, 0.0188, 0.0045])
    expected = 0.01 * vectors @ torch.diag(values**2) @ vectors.T
    torch.testing.assert_close(covariance, expected, rtol=0.1, atol=1e-6)


def test_erasing_fills_rectangles_with_the_mean_as_often_as_asked() -> None:
    images = torch.full((NUM, 32, 32, 3), 255, dtype=torch.uint8)
    out = finisher(erasing=0.25).finish(images, torch.arange(NUM), 0, 32)
    erased = (out == 0.0).all(dim=1)
    shares = erased.float().mean(dim=(1, 2))
    assert float((shares > 0).float().mean()) == pytest.approx(0.25, abs=0.03)
    hit = shares[shares > 0]
    # Areas are drawn evenly between 2 and 33 %; sides are whole pixels.
    assert float(hit.min()) > 0.01
    assert float(hit.max()) < 0.36
    assert float(hit.mean()) == pytest.approx((0.02 + 0.33) / 2, abs=0.015)
    box = erased[int(shares.argmax())]
    rows, columns = box.any(dim=1), box.any(dim=0)
    assert torch.equal(box, rows[:, None] & columns[None, :])


def test_smaller_images_are_the_antialiased_large_ones() -> None:
    out = finisher().finish(ramp(2, 8), torch.arange(2), 0, 4)
    full = finisher().finish(ramp(2, 8), torch.arange(2), 0, 8)
    expected = torch.nn.functional.interpolate(full, (4, 4), mode="bilinear", antialias=True)
    torch.testing.assert_close(out, expected)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_a_batch_may_come_in_any_parts() -> None:
    made = finisher(flip=True, lighting=0.1, erasing=0.5)
    indices = torch.arange(20)
    whole = made.finish(ramp(20), indices, 3, 8)
    parts = [made.finish(ramp(10), part, 3, 8) for part in (indices[:10], indices[10:])]
    assert torch.equal(whole, torch.cat(parts))
