"""The initial weights follow the formulas of the authors' code."""

import math

import pytest
import torch
from nonempty import nonempty
from torch import nn

from resnext.model.blocks import ResidualBlock
from resnext.model.choices import Block, Form
from resnext.model.config import ResNeXtConfig
from resnext.model.network import ResNeXt

SMALL = ResNeXtConfig(blocks_per_stage=(1, 1), num_classes=10)


@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_convolutions_have_the_deviation_of_their_whole_fan_out(form: Form) -> None:
    torch.manual_seed(0)
    config = SMALL.replace(cardinality=4, bottleneck_width=32, form=form)
    state = ResNeXt(config).state_dict()
    # (k·k·output channels): form (c)'s, whatever the groups, and so in the other forms too.
    fan_outs = {
        "conv1": 49 * 64,
        "layer1.0.*conv1": 128,
        "layer1.0.*conv2": 9 * 128,
        "layer1.0.*conv3": 256,
        "layer1.0.downsample.0": 256,
    }
    for pattern, fan_out in fan_outs.items():
        start, _, end = pattern.rpartition("*")
        weights = [
            tensor.flatten()
            for key, tensor in state.items()
            if key.endswith(f"{end}.weight") and key.startswith(start or end)
        ]
        values = torch.cat(weights)
        # The deviation of n normal values is known to 1/sqrt(2n): five times that.
        tolerance = 5 / math.sqrt(2 * len(values))
        assert values.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=tolerance), pattern


def test_norms_start_as_the_identity_and_the_classifier_without_bias() -> None:
    model = ResNeXt(SMALL)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            assert module.weight.eq(1).all()
            assert module.running_var.eq(1).all()
            assert not module.bias.any()
            assert not module.running_mean.any()
    bound = 1 / math.sqrt(512)
    assert not model.fc.bias.any()
    assert 0.9 * bound < model.fc.weight.abs().max() <= bound


def test_a_seed_decides_every_tensor() -> None:
    def state(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return ResNeXt(SMALL.replace(preactivation=True)).state_dict()

    first, again, other = state(3), state(3), state(4)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


@pytest.mark.parametrize("form", ["a", "b", "c"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_zero_residuals_make_a_block_its_shortcut(form: Form, preactivation: bool) -> None:
    block = first_identity_block("bottleneck", form, preactivation)
    x = torch.rand(2, 256, 5, 5)  # not negative, so the ReLU after the sum changes nothing
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("preactivation", [False, True])
def test_zero_residuals_make_a_basic_block_its_shortcut(preactivation: bool) -> None:
    x = torch.rand(2, 64, 5, 5)
    assert torch.equal(first_identity_block("basic", "c", preactivation)(x), x)


@pytest.mark.parametrize("form", ["a", "b", "c"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_a_residual_that_starts_at_zero_can_learn(form: Form, preactivation: bool) -> None:
    block = first_identity_block("bottleneck", form, preactivation)
    block(torch.rand(2, 256, 5, 5)).square().sum().backward()
    for layer in nonempty(block.last_layers):
        gradient = layer.get_parameter("weight").grad
        assert gradient is not None
        assert gradient.any()


def first_identity_block(block: Block, form: Form, preactivation: bool) -> ResidualBlock:
    config = ResNeXtConfig(
        blocks_per_stage=(2,),
        cardinality=1 if block == "basic" else 4,
        bottleneck_width=64 if block == "basic" else 4,
        block=block,
        form=form,
        preactivation=preactivation,
        zero_init_residual=True,
    )
    found = ResNeXt(config).get_submodule("layer1.1")
    assert isinstance(found, ResidualBlock)
    return found
