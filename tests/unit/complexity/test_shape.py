"""The map behind a window, held against torch's own layers."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from resnext.complexity.shape import Shape, window_shape

POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
    st.sampled_from([3, 5]),
    st.integers(1, 3),
)
def test_a_padded_window_leaves_the_map_that_torch_gives(
    sides: list[int], kernel: int, stride: int
) -> None:
    shape = Shape(2, tuple(sides))
    pool = POOLS[len(sides)](kernel, stride=stride, padding=kernel // 2)
    executed = pool(torch.empty(1, 2, *sides, device="meta"))
    assert window_shape(shape, 2, kernel, stride).sides == executed.shape[2:]
