"""The rules of single layers, held against torch's own layers."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnext.complexity.rules import (
    Shape,
    conv_macs,
    conv_parameters,
    linear_macs,
    linear_parameters,
    norm_parameters,
    window_shape,
)

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}

sides = st.lists(st.integers(1, 30), min_size=1, max_size=3)
kernels = st.sampled_from([1, 3, 5, 7])
strides = st.integers(1, 3)
channels = st.integers(1, 12)


def image_of(shape: Shape) -> torch.Tensor:
    return torch.empty(1, shape.channels, *shape.sides, device="meta")


@given(sides, kernels, strides, channels, channels, st.integers(1, 4))
def test_a_convolution_costs_what_torch_executes(
    sides: list[int], kernel: int, stride: int, width: int, out_width: int, groups: int
) -> None:
    shape, ndim = Shape(groups * width, tuple(sides)), len(sides)
    layer = CONVS[ndim](
        groups * width,
        groups * out_width,
        kernel,
        stride=stride,
        padding=kernel // 2,
        groups=groups,
        bias=False,
        device="meta",
    )
    with FlopCounterMode(display=False) as flops:
        executed = layer(image_of(shape))
    output = window_shape(shape, groups * out_width, kernel, stride)
    assert (1, output.channels, *output.sides) == executed.shape
    assert output.num_elements == executed.numel()
    assert 2 * conv_macs(shape.channels, output, kernel=kernel, groups=groups) == (
        flops.get_total_flops()
    )
    parameters = conv_parameters(
        shape.channels, output.channels, kernel=kernel, ndim=ndim, groups=groups
    )
    assert parameters == layer.weight.numel()


@given(sides, st.sampled_from([3, 5]), strides)
def test_a_pool_has_the_shape_that_torch_gives(sides: list[int], kernel: int, stride: int) -> None:
    shape = Shape(2, tuple(sides))
    executed = POOLS[len(sides)](kernel, stride=stride, padding=kernel // 2)(image_of(shape))
    assert window_shape(shape, 2, kernel, stride).sides == executed.shape[2:]


@given(channels, channels)
def test_norm_and_linear_layers_have_the_parameters_of_torchs(features: int, classes: int) -> None:
    linear = nn.Linear(features, classes, device="meta")
    assert linear_parameters(features, classes) == sum(p.numel() for p in linear.parameters())
    norm = nn.BatchNorm2d(features, device="meta")
    assert norm_parameters(features) == sum(p.numel() for p in norm.parameters())
    with FlopCounterMode(display=False) as flops:
        linear(torch.empty(1, features, device="meta"))
    # the bias is ours: FlopCounterMode leaves it out
    assert 2 * (linear_macs(features, classes) - classes) == flops.get_total_flops()
