from __future__ import annotations

import pytest
import torch

from resnext.data.prepare.normalise import Normaliser, normalise

CPU = torch.device("cpu")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pixels_become_deviations_from_the_mean(layout: torch.memory_format) -> None:
    images = torch.arange(2 * 3 * 5 * 7).remainder(256).to(torch.uint8).view(2, 3, 5, 7)
    got = normalise(images.contiguous(memory_format=layout), MEAN, STD, CPU)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    torch.testing.assert_close(got, (images / 255 - mean) / std, rtol=0, atol=2e-6)
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_both_ways_of_normalising_give_the_same_bits() -> None:
    images = torch.randint(0, 256, (2, 9, 9, 3), dtype=torch.uint8)
    expected = normalise(images.permute(0, 3, 1, 2), MEAN, STD, CPU)
    assert torch.equal(Normaliser(MEAN, STD, CPU)(images), expected)


def test_images_of_several_sizes_go_through_one_normaliser() -> None:
    normaliser = Normaliser((0.5,), (0.25,), CPU)
    for side in (3, 8, 3):
        got = normaliser(torch.full((1, side, side, 1), 255, dtype=torch.uint8))
        torch.testing.assert_close(got, torch.full((1, 1, side, side), 2.0))
