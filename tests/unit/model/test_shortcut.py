"""Shortcuts against their formulas, alone and in the block."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from resnext.model.blocks import ResidualBlock
from resnext.model.build import build_block
from resnext.model.choices import Shortcut
from resnext.model.config import ResNeXtConfig
from resnext.model.network import ResNeXt
from resnext.model.plan import plan_network
from resnext.model.shortcut import ZeroPad


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 5), st.integers(1, 7))
def test_zero_padding_subsamples_and_appends_zeros(
    ndim: int, stride: int, num_extra: int, side: int
) -> None:
    x = torch.randn(2, 3, *[side] * ndim)
    y = ZeroPad(ndim, stride, num_extra)(x)
    assert y.shape == (2, 3 + num_extra, *[-(-side // stride)] * ndim)
    assert not y[:, 3:].any()
    subsample = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[ndim]
    assert torch.equal(y[:, :3], subsample(x, 1, stride))  # how the authors' code does it


@pytest.mark.parametrize(
    ("shortcut", "kinds"),
    [
        ("A", ["ZeroPad", "Identity", "ZeroPad", "Identity"]),
        ("B", ["Sequential", "Identity", "Sequential", "Identity"]),
        ("C", ["Sequential"] * 4),
        ("none", ["NoneType"] * 4),
    ],
)
def test_a_type_of_shortcut_decides_each_blocks_shortcut(
    shortcut: Shortcut, kinds: list[str]
) -> None:
    model = ResNeXt(ResNeXtConfig(blocks_per_stage=(2, 2), shortcut=shortcut))
    blocks = [module for module in model.modules() if isinstance(module, ResidualBlock)]
    assert [type(block.downsample).__name__ for block in blocks] == kinds


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("stage", [0, 1])
def test_a_post_activation_block_is_relu_of_branch_plus_shortcut(
    shortcut: Shortcut, stage: int
) -> None:
    block, x = make_block(ResNeXtConfig(blocks_per_stage=(2, 1), shortcut=shortcut), stage)
    branch = block.branch(x)
    expected = torch.relu(branch + carried_by(block, x, branch.shape[1]))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("stage", [0, 1])
def test_a_pre_activation_block_projects_the_activated_input_and_carries_others_raw(
    shortcut: Shortcut, stage: int
) -> None:
    config = ResNeXtConfig(blocks_per_stage=(2, 1), shortcut=shortcut, preactivation=True)
    block, x = make_block(config, stage)
    activated = torch.relu(block.bn1(x))
    branch = block.branch(activated)
    source = activated if isinstance(block.downsample, nn.Sequential) else x
    expected = branch + carried_by(block, source, branch.shape[1])
    torch.testing.assert_close(block(x), expected)
    assert (block(x) < 0).any(), "no ReLU follows the sum"


def test_a_pre_activation_projection_has_no_norm() -> None:
    keys = ResNeXt(ResNeXtConfig(blocks_per_stage=(1,), preactivation=True)).state_dict()
    assert [key for key in keys if "downsample" in key] == ["layer1.0.downsample.0.weight"]


def make_block(config: ResNeXtConfig, stage: int) -> tuple[ResidualBlock, torch.Tensor]:
    plan = plan_network(config).stages[stage][0]
    block = build_block(plan, config).double().eval()
    return block, torch.randn(2, plan.in_channels, 7, 7, dtype=torch.float64)


def carried_by(block: ResidualBlock, x: torch.Tensor, channels: int) -> torch.Tensor:
    """Compute the shortcut from its definition: zero, padding, or a strided product."""
    if block.downsample is None:
        return torch.zeros(())
    if isinstance(block.downsample, ZeroPad):
        step = block.downsample.stride
        missing = channels - x.shape[1]
        kept = x[:, :, ::step, ::step]
        return torch.cat([kept, torch.zeros(2, missing, *kept.shape[2:])], dim=1)
    assert isinstance(block.downsample, nn.Sequential)
    project = block.downsample[0]
    assert isinstance(project, nn.Conv2d)
    step = project.stride[0]
    y = torch.einsum("oi,bihw->bohw", project.weight[:, :, 0, 0], x[:, :, ::step, ::step])
    return block.downsample[1](y) if len(block.downsample) > 1 else y
