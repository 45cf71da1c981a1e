"""Single operations of a flow, held against torch's own and against the maps they leave."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from resnext.complexity.flow import Flow
from resnext.complexity.rules import Shape

FLOAT, INDEX = 4, 8  # bytes

sides = st.tuples(st.integers(7, 30), st.integers(7, 30))
extents = st.sampled_from([1, 3, 5, 7])


def image_of(shape: Shape) -> torch.Tensor:
    return torch.empty(1, shape.channels, *shape.sides, device="meta")


@given(sides, st.tuples(extents, extents), st.integers(1, 3), st.booleans(), st.booleans())
def test_a_convolution_has_the_shape_and_cost_of_torchs(
    image_sides: tuple[int, int], kernel: tuple[int, int], stride: int, padded: bool, bias: bool
) -> None:
    flow = Flow(Shape(3, image_sides), training=False)
    x = flow.conv("conv", flow.image, 5, kernel, stride=stride, padded=padded, bias=bias)
    padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
    layer = nn.Conv2d(3, 5, kernel, stride=stride, padding=padding, bias=bias, device="meta")
    executed = layer(image_of(flow.image.shape))
    assert (1, x.shape.channels, *x.shape.sides) == executed.shape
    (row,) = flow.layers
    assert row.parameters == sum(parameter.numel() for parameter in layer.parameters())
    # every output number is a sum over its kernel and channels, and perhaps the bias
    assert row.macs == executed.numel() * (3 * kernel[0] * kernel[1] + bias)
    assert row.activations == executed.numel()


@given(sides, st.sampled_from([2, 3]))
def test_a_pool_has_the_shape_of_torchs_and_keeps_where_the_maxima_were(
    image_sides: tuple[int, int], kernel: int
) -> None:
    flow = Flow(Shape(3, image_sides), training=True)
    pooled = flow.max_pool(flow.image, kernel).shape
    executed = nn.MaxPool2d(kernel, stride=2)(image_of(flow.image.shape))
    assert (1, pooled.channels, *pooled.sides) == executed.shape
    image = flow.image.shape.num_elements
    assert flow.kept_bytes() == FLOAT * image + INDEX * executed.numel()


def test_relu_works_in_place_and_keeps_what_it_leaves() -> None:
    flow = Flow(Shape(2, (4, 4)), training=True)
    x = flow.norm("bn", flow.image)
    assert flow.relu(x) == x
    assert flow.kept_bytes() == FLOAT * (32 + 32)  # BN's input and ReLU's output
    assert flow.peak_bytes() == FLOAT * (32 + 32)  # the same two


def test_dropout_is_nothing_in_inference_and_two_maps_in_training() -> None:
    for training, kept in ((False, 10), (True, 10 + 10)):
        flow = Flow(Shape(10, ()), training=training)
        flow.linear("fc", flow.dropout(flow.image), 4)
        assert flow.kept_bytes() == FLOAT * kept  # fc's input; in training the mask as well


def test_branches_exist_at_once_with_what_they_are_joined_into() -> None:
    flow = Flow(Shape(4, (3, 3)), training=False)
    left = flow.average_pool(flow.image)
    joined = flow.concatenate(left, flow.average_pool(flow.image))
    assert joined.shape == Shape(8, (3, 3))
    assert flow.peak_bytes() == FLOAT * 9 * (4 + 4 + 4 + 8)  # the image stays its owner's


def test_the_mean_of_a_whole_map_keeps_nothing_and_that_of_regions_its_input() -> None:
    for regions, kept in (((1, 1), 0), ((7, 7), 2 * 9 * 9)):
        flow = Flow(Shape(2, (9, 9)), training=True)
        pooled = flow.average_to(flow.image, regions)
        assert flow.flatten(pooled).shape == Shape(2 * regions[0] * regions[1], ())
        assert flow.kept_bytes() == FLOAT * kept
