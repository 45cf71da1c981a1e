from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.data.augment.windows import crop_windows, mean_color, mirror, pad_images


def pixels(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@settings(max_examples=40, deadline=None)
@given(
    num=st.integers(1, 5),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.sampled_from([1, 3]),
    pad_px=st.integers(0, 3),
    seed=st.integers(0, 100),
)
def test_windows_are_those_of_padding_and_slicing_one_by_one(
    num: int, height: int, width: int, channels: int, pad_px: int, seed: int
) -> None:
    images = pixels(num, height, width, channels)
    color = list(range(7, 7 + channels))
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randint(0, num, (6,), generator=generator)
    rows, columns = torch.randint(0, 2 * pad_px + 1, (2, 6), generator=generator)
    got = crop_windows(pad_images(images, pad_px, color), numbers, rows, columns, (height, width))
    for image, number, row, column in zip(
        got, numbers, rows.tolist(), columns.tolist(), strict=True
    ):
        planes = [
            F.pad(images[number, :, :, c], (pad_px,) * 4, value=color[c]) for c in range(channels)
        ]
        expected = torch.stack(planes, dim=2)[row : row + height, column : column + width]
        assert torch.equal(image, expected)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("chosen", [[], [0, 3], [0, 1, 2, 3, 4]])
def test_only_the_chosen_images_are_mirrored(channels: int, chosen: list[int]) -> None:
    images = pixels(5, 4, 6, channels)
    flips = torch.zeros(5, dtype=torch.bool)
    flips[chosen] = True
    expected = [image.flip(1) if flip else image for image, flip in zip(images, flips, strict=True)]
    assert torch.equal(mirror(images, flips), torch.stack(expected))


def test_the_mean_color_is_within_half_a_grey_level_of_the_mean() -> None:
    mean = (0.4914, 0.4824, 0.4467)
    for level, value in zip(mean_color(mean), mean, strict=True):
        assert abs(level - 255 * value) <= 0.5
