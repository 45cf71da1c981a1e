"""Widened groups: another layout of the same sums."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from resnext.export.narrow_groups import groups_to_widen, widen_groups
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.model.network import ResNeXt


@given(
    groups=st.integers(1, 12),
    in_width=st.integers(1, 6),
    out_width=st.integers(1, 6),
    block=st.sampled_from([4, 8, 16]),
    bias=st.booleans(),
    stride=st.integers(1, 2),
)
@settings(max_examples=60, deadline=None)
def test_a_widened_convolution_computes_the_same(
    groups: int, in_width: int, out_width: int, block: int, bias: bool, stride: int
) -> None:
    shape = (groups * in_width, groups * out_width, 3)
    conv = nn.Conv2d(
        *shape,
        stride=stride,
        padding=2,
        dilation=2,
        groups=groups,
        bias=bias,
        padding_mode="reflect",
    ).double()
    x_bchw = torch.randn(2, groups * in_width, 7, 7, dtype=torch.float64)
    widened = widen_groups(conv, block)
    torch.testing.assert_close(widened(x_bchw), conv(x_bchw), rtol=1e-12, atol=1e-12)


@given(st.integers(1, 96), st.integers(1, 70), st.integers(1, 70), st.sampled_from([4, 8, 16]))
def test_groups_become_whole_blocks_or_stay_as_they_are(
    groups: int, in_width: int, out_width: int, block: int
) -> None:
    merge = groups_to_widen(in_width, out_width, groups, block)
    assert groups % merge == 0
    if merge > 1:
        assert merge * in_width % block == merge * out_width % block == 0
        assert in_width % block or out_width % block, "wide groups have nothing to gain"


@pytest.mark.parametrize("template", ["8x14d", "4x24d", "2x40d"])
def test_groups_of_more_than_half_a_block_stay_as_they_are(template: str) -> None:
    config = config_of(f"resnext50_{template}").replace(blocks_per_stage=(1, 1, 1, 1))
    network = ResNeXt(config)
    widened = widen_groups(network)
    stages = (1, 2, 3, 4)
    assert [widths_of(widened, s) for s in stages] == [widths_of(network, s) for s in stages]


@pytest.mark.slow
@pytest.mark.parametrize("block", [8, 16])
def test_the_groups_of_32x4d_are_widened_up_to_a_block_and_no_further(block: int) -> None:
    network = ResNeXt(config_of("resnext50_32x4d"))
    widths = [widths_of(widen_groups(network, block), stage) for stage in (1, 2, 3, 4)]
    assert widths == [{max(block, width)} for width in (4, 8, 16, 32)]


def test_a_dense_network_and_depthwise_convolutions_stay_as_they_are() -> None:
    depthwise = nn.Conv2d(32, 32, 3, groups=32)
    dense = nn.Conv2d(3, 6, 3)
    for conv in (depthwise, dense):
        widened = widen_groups(conv)
        assert isinstance(widened, nn.Conv2d)
        assert widened.groups == conv.groups
        assert torch.equal(widened.weight, conv.weight)


def test_a_whole_network_computes_the_same_and_the_original_keeps_its_weights() -> None:
    torch.manual_seed(0)
    config = config_of("resnext50_32x4d").replace(blocks_per_stage=(1, 1, 1, 1), num_classes=5)
    network = ResNeXt(config).double().eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    x_bchw = torch.randn(2, 3, 40, 40, dtype=torch.float64)
    widened = widen_groups(network)
    torch.testing.assert_close(widened(x_bchw), network(x_bchw), rtol=1e-9, atol=1e-9)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def config_of(name: str) -> ResNeXtConfig:
    config = config_from(name)
    assert isinstance(config, ResNeXtConfig)
    return config


def widths_of(network: nn.Module, stage: int) -> set[int]:
    blocks = network.get_submodule(f"layer{stage}")
    return {
        module.weight.shape[1]
        for module in blocks.modules()
        if isinstance(module, nn.Conv2d) and module.groups > 1
    }
