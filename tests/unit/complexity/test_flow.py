"""Single operations of a flow, held against torch's own and against the maps they leave."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnext.complexity.cost import LayerCost
from resnext.complexity.flow import Flow
from resnext.complexity.shape import Shape

FLOAT, INDEX = 4, 8  # bytes
CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}

widths = st.integers(1, 12)

sides = st.tuples(st.integers(7, 30), st.integers(7, 30))
extents = st.sampled_from([1, 3, 5, 7])


def image_of(shape: Shape) -> torch.Tensor:
    return torch.empty(1, shape.channels, *shape.sides, device="meta")


@given(sides, st.tuples(extents, extents), st.integers(1, 3), st.booleans(), st.booleans())
def test_a_convolution_has_the_shape_and_cost_of_torchs(
    image_sides: tuple[int, int], kernel: tuple[int, int], stride: int, padded: bool, bias: bool
) -> None:
    flow = Flow(Shape(3, image_sides), training=False)
    x = flow.conv("conv", flow.image, 5, kernel, stride, padded=padded, bias=bias)
    padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
    layer = nn.Conv2d(3, 5, kernel, stride=stride, padding=padding, bias=bias, device="meta")
    executed = layer(image_of(flow.image.shape))
    assert (1, x.shape.channels, *x.shape.sides) == executed.shape
    (row,) = flow.layers
    assert row.parameters == sum(parameter.numel() for parameter in layer.parameters())
    # every output number is a sum over its kernel and channels, and perhaps the bias
    assert row.macs == executed.numel() * (3 * kernel[0] * kernel[1] + bias)
    assert row.activations == executed.numel()


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
    st.sampled_from([1, 3, 5, 7]),
    st.integers(1, 3),
    widths,
    widths,
    st.integers(1, 4),
)
def test_a_grouped_convolution_costs_what_torch_executes_in_any_dimension(
    image_sides: list[int], kernel: int, stride: int, width: int, out_width: int, groups: int
) -> None:
    flow = Flow(Shape(groups * width, tuple(image_sides)), training=False)
    x = flow.conv("conv", flow.image, groups * out_width, kernel, stride, groups=groups)
    layer = CONVS[len(image_sides)](
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
        executed = layer(image_of(flow.image.shape))
    assert (1, x.shape.channels, *x.shape.sides) == executed.shape
    (row,) = flow.layers
    assert 2 * row.macs == flops.get_total_flops()
    assert (row.parameters, row.activations) == (layer.weight.numel(), executed.numel())


@given(widths, widths, st.booleans())
def test_norm_and_linear_layers_cost_what_torchs_do(
    features: int, classes: int, bias: bool
) -> None:
    flow = Flow(Shape(features, ()), training=False)
    flow.linear("fc", flow.norm("bn", flow.image), classes, bias=bias)
    linear = nn.Linear(features, classes, bias=bias, device="meta")
    norm = nn.BatchNorm2d(features, device="meta")
    with FlopCounterMode(display=False) as flops:
        linear(torch.empty(1, features, device="meta"))
    counted = [row.parameters for row in flow.layers]
    assert counted == [sum(p.numel() for p in layer.parameters()) for layer in (norm, linear)]
    # the bias is ours: FlopCounterMode leaves it out
    assert 2 * (flow.layers[1].macs - bias * classes) == flops.get_total_flops()


def test_a_row_may_stand_for_like_layers_or_be_left_out() -> None:
    flow = Flow(Shape(2, (4, 4)), training=False)
    for count in (3, 0, 0):
        flow.norm(
            "paths.*.bn", flow.conv("paths.*.conv", flow.image, 5, 1, count=count), count=count
        )
    conv, norm = flow.layers
    assert (conv.count, conv.parameters, conv.macs) == (3, 3 * 5 * 2, 3 * 5 * 2 * 16)
    assert (norm.count, norm.parameters, norm.macs) == (3, 3 * 2 * 5, 0)


def test_a_sum_is_written_over_its_first_operand() -> None:
    flow = Flow(Shape(2, (4, 4)), training=True)
    left, right = flow.norm("left", flow.image), flow.norm("right", flow.image)
    assert flow.add(left, right) == left
    assert flow.kept_bytes() == FLOAT * 32  # the input of both BN
    assert flow.peak_bytes() == FLOAT * 3 * 32


def test_a_gate_keeps_both_factors_and_what_its_sigmoid_left() -> None:
    flow = Flow(Shape(2, (4, 4)), training=True)
    gate = flow.sigmoid(flow.average_all(flow.image))
    assert gate.shape == Shape(2, (1, 1))
    assert flow.multiply(flow.image, gate).shape == flow.image.shape
    assert flow.kept_bytes() == FLOAT * (32 + 2)


def test_a_layer_of_another_kind_is_noted_as_it_is_told() -> None:
    flow = Flow(Shape(2, (4, 4)), training=True)
    row = LayerCost("mix", "attention", Shape(3, (4, 4)), 1, 7, 11, 48)
    assert flow.layer(row, flow.image).shape == row.output
    assert (flow.layers, flow.kept_bytes()) == ([row], FLOAT * 32)


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
