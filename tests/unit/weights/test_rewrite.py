"""Layers that ours lack, written as ours: the same function, computed by PyTorch's own layers."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.weights.infer import infer_config
from resnext.weights.rewrite import rewrite


def small(**changes: Any) -> ResNeXt:
    torch.manual_seed(0)
    model = create_model(
        "resnext29_2x64d",
        blocks_per_stage=(2, 1),
        cardinality=4,
        bottleneck_width=2,
        stage_widths=(16, 32),
        stem_width=8,
        **changes,
    )
    assert isinstance(model, ResNeXt)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return model.eval()


def opened(state: dict[str, torch.Tensor]) -> nn.Module:
    state = rewrite(state)
    model = create_model(infer_config(state))
    model.load_state_dict(state)
    return model.eval()


def test_biases_before_bn_move_into_the_means() -> None:
    model = small()
    state = dict(model.state_dict())
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.randn(module.out_channels))
            state[f"{name}.bias"] = module.bias.detach()
    images = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(opened(state)(images), model(images), rtol=1e-4, atol=1e-4)


def test_a_bias_in_a_pre_activated_network_stays_and_does_not_fit() -> None:
    state = dict(small(preactivation=True).state_dict())
    state["layer1.0.conv3.bias"] = torch.randn(16)
    assert "layer1.0.conv3.bias" in rewrite(state)


def test_a_grouped_first_convolution_becomes_dense() -> None:
    model = small()
    state = dict(model.state_dict())
    for name in [
        name for name in state if name.endswith("conv1.weight") and name != "conv1.weight"
    ]:
        width = state[name].shape[1]
        grouped = nn.Conv2d(width, len(state[name]), 1, groups=4, bias=False)
        model.set_submodule(name.removesuffix(".weight"), grouped)
        state[name] = grouped.weight.detach()
    images = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(opened(state)(images), model(images), rtol=1e-5, atol=1e-5)


def test_a_stem_of_one_pixel_becomes_a_stem_of_three() -> None:
    model = small()
    weight = torch.randn(8, 3, 1, 1)
    ours = opened({**model.state_dict(), "conv1.weight": weight})
    images = torch.randn(2, 3, 9, 9)
    stem = ours.get_submodule("conv1")(images)
    torch.testing.assert_close(stem, F.conv2d(images, weight), rtol=1e-5, atol=1e-5)


def test_a_tiny_file_does_not_become_a_huge_layer() -> None:
    state = {
        "conv1.weight": torch.zeros(1, 3, 3, 3),
        "layer1.0.conv1.weight": torch.zeros(2**20, 1, 1, 1),
        "layer1.0.conv3.weight": torch.zeros(2**20, 1, 1, 1),
    }
    assert rewrite(state)["layer1.0.conv1.weight"].numel() == 2**20
