from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from resnext.data.prepare.normalise import Normaliser, normalise
from resnext.data.prepare.scale import normalise_pixels

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


@given(
    mean=st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3),
    std=st.lists(st.floats(2**-9, 1, width=32), min_size=3, max_size=3),
)
def test_a_service_without_torch_computes_the_same_bits(
    mean: list[float], std: list[float]
) -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).expand(2, 16, 16, 3)
    expected = normalise(levels.permute(0, 3, 1, 2), mean, std, CPU)
    assert torch.equal(torch.from_numpy(normalise_pixels(levels.numpy(), mean, std)), expected)


def test_one_number_stands_for_all_channels() -> None:
    images = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    expected = normalise(images, (0.4,) * 3, (0.2,) * 3, CPU)
    assert torch.equal(normalise(images, (0.4,), (0.2,), CPU), expected)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 2, 5, 4)])
def test_signals_and_volumes_are_normalised_too(shape: tuple[int, ...]) -> None:
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    mean, std = (torch.tensor(v).view(3, *(1,) * (len(shape) - 2)) for v in (MEAN, STD))
    got = normalise(images, MEAN, STD, CPU)
    torch.testing.assert_close(got, (images / 255 - mean) / std, rtol=0, atol=2e-6)
