"""Convolutions of small maps in bf16 on the CPU: the gradient is fp32's, zero where that is."""

import copy
import itertools
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from resnext.model import convolution
from resnext.model.baselines import build_baseline
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.convolution import Conv1d, Conv2d, Conv3d
from resnext.model.layers import conv
from resnext.model.network import ResNeXt

BF16_TOLERANCE = 0.03  # of the largest value; bf16 has 8 bits


def poison(*shapes: torch.Size) -> None:
    """Leave NaN in the memory that the next tensors of these sizes are given."""
    kept = [
        torch.full(shape, torch.nan, dtype=dtype)
        for shape in shapes
        for dtype in (torch.float32, torch.bfloat16)
        for _ in range(4)
    ]
    del kept


def run(layer: nn.Module, x: torch.Tensor, *, autocast: bool) -> dict[str, torch.Tensor]:
    """Return the output and the gradients of the input and of the parameters."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = layer(x)
    weights = torch.linspace(-1, 1, y.numel()).view(y.shape).bfloat16().float()
    poison(x.shape, y.shape, *(parameter.shape for parameter in layer.parameters()))
    (y.float() * weights).sum().backward()
    assert x.grad is not None
    gradients = {name: p.grad.clone() for name, p in layer.named_parameters() if p.grad is not None}
    return {"output": y.detach().float(), "input": x.grad, **gradients}


def assert_close_in_bf16(
    got: torch.Tensor, expected: torch.Tensor, is_empty: torch.Tensor, name: str
) -> None:
    assert got.isfinite().all(), name
    assert (got[is_empty] == 0).all(), f"{name}: not zero where no data are"
    difference = (got - expected).abs().max().item()
    assert difference <= BF16_TOLERANCE * (expected.abs().max().item() + 1), name


def compare(layer: nn.Module, x: torch.Tensor) -> None:
    """Hold bf16 against the plain fp32 convolution without oneDNN."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter.bfloat16())
    x = x.bfloat16().float()
    with torch.backends.mkldnn.flags(enabled=False):
        expected = run(layer, x, autocast=False)
        # A sum of a few terms can be zero by chance, but not with other weights and data too.
        other = copy.deepcopy(layer)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.copy_(parameter.abs() + 1)
        again = run(other, x.abs() + 1, autocast=False)
    for autocast in (True, False):
        if not autocast:
            layer, x = layer.bfloat16(), x.bfloat16()
        for name, got in run(layer, x, autocast=autocast).items():
            is_empty = (expected[name] == 0) & (again[name] == 0)
            assert_close_in_bf16(got.float(), expected[name], is_empty, name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:TF32 acceleration")
@given(
    sides=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    kernel=st.sampled_from([1, 3, 3, 5, 7]),
    stride=st.integers(1, 4),
    groups=st.sampled_from(
        [(1, 3, 16), (1, 16, 64), (1, 64, 8), (8, 8, 8), (4, 16, 16), (4, 64, 64)]
    ),
    batch=st.integers(1, 5),
    channels_last=st.booleans(),
    seed=st.integers(0, 1000),
)
@example([1, 1], 3, 2, (4, 64, 64), 12, False, 0)
@example([9, 1], 3, 2, (1, 16, 64), 2, True, 0)  # width 1, large height
@example([1], 3, 2, (4, 64, 64), 2, False, 0)
@example([2, 5, 7], 3, 1, (1, 16, 64), 2, False, 0)  # every weight meets data, wrong all the same
@example([4, 5, 5], 7, 3, (1, 64, 8), 5, False, 0)
@example([5, 1], 1, 3, (1, 3, 64), 2, False, 0)
@settings(max_examples=120, deadline=None)
def test_bf16_gradients_are_those_of_fp32_for_every_shape(
    sides: list[int],
    kernel: int,
    stride: int,
    groups: tuple[int, int, int],
    batch: int,
    channels_last: bool,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    num_groups, in_channels, out_channels = groups
    ndim = len(sides)
    layer = conv(ndim, in_channels, out_channels, kernel, stride, num_groups)
    x = torch.randn(batch, in_channels, *sides)
    if channels_last and ndim == 2:
        layer = layer.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    compare(layer, x)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize("block", ["bottleneck", "basic"])
def test_a_network_on_a_small_image_has_finite_gradients_in_bf16(
    ndim: int, side: int, block: str
) -> None:
    cardinality = 1 if block == "basic" else 4
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1, 1, 1), stage_widths=(16, 32, 64), stem_width=16
    ).replace(ndim=ndim, block=block, cardinality=cardinality, bottleneck_width=8, num_classes=3)
    torch.manual_seed(0)
    network = ResNeXt(config)
    shapes = [parameter.shape for parameter in network.parameters()]
    for _ in range(3):
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(torch.randn(4, 3, *[side] * ndim)).square().sum()
        poison(*shapes)
        loss.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all(), name


def test_baselines_are_built_from_the_same_convolutions() -> None:
    with torch.device("meta"):
        network = build_baseline(BaselineConfig(family="vgg16_bn", num_classes=3))
    kinds = {type(module) for module in network.modules() if isinstance(module, nn.Conv2d)}
    assert kinds == {Conv2d}


@pytest.mark.parametrize(("kernel", "stride"), [*itertools.product([1, 3, 7], [1, 2])])
@pytest.mark.parametrize("ndim", [1, 2])
def test_fp32_keeps_the_bits_of_the_ordinary_convolution(
    ndim: int, kernel: int, stride: int
) -> None:
    ours = conv(ndim, 8, 8, kernel, stride)
    plain = (nn.Conv1d, nn.Conv2d)[ndim - 1](
        8, 8, kernel, stride=stride, padding=kernel // 2, bias=False
    )
    plain.load_state_dict(ours.state_dict())
    for side in (1, 2, 5):
        x = torch.randn(2, 8, *[side] * ndim)
        for got, expected in zip(
            run(ours, x, autocast=False).values(),
            run(plain, x, autocast=False).values(),
            strict=True,
        ):
            assert torch.equal(got, expected)


@pytest.mark.parametrize("depth", [5, 6, 7])
def test_the_stem_of_a_shallow_volume_is_convolved_within_its_memory(depth: int) -> None:
    layer = conv(3, 3, 16, 7, 2)
    x = torch.randn(2, 3, depth, 8, 8)
    with torch.no_grad():
        expected = layer(x)
    convolved: list[tuple[object, torch.Size]] = []
    with pytest.MonkeyPatch.context() as patch:

        def record(x: torch.Tensor, weight: torch.Tensor, *rest: Any) -> torch.Tensor:
            convolved.append((rest[2], x.shape[2:]))
            return nn.functional.conv3d(x, weight, *rest)

        patch.setitem(convolution._CONVOLUTIONS, 3, record)
        got = layer(x)
    assert convolved == [(0, torch.Size((max(depth + 6, 8), 14, 14)))]
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer_class", [Conv1d, Conv2d, Conv3d])
def test_large_maps_are_not_copied(layer_class: type[Conv1d | Conv2d | Conv3d]) -> None:
    layer = layer_class(8, 8, 3, stride=2, padding=1)
    x = torch.randn(1, 8, *[4] * len(layer.kernel_size), dtype=torch.bfloat16)
    assert layer._explicit_padding(x) == []
    small = x[:, :, :3]
    assert layer._explicit_padding(small) != []
    with torch.no_grad():
        assert layer._explicit_padding(small) == [], "forward passes are right in every shape"
