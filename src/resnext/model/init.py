"""The initial weights, as the authors' code draws them.

Source: arXiv 1611.05431, section 4, and the released Torch code (models/resnext.lua).
"""

from __future__ import annotations

import math

import torch
from torch import nn

from resnext.model.blocks import ResidualBlock
from resnext.model.layers import Conv, Norm


def initialise(network: nn.Module) -> None:
    """Draw every weight from torch's global generator, in the order of the modules.

    Convolutions: normal with deviation sqrt(2 / fan-out), where fan-out is the kernel's
    size times all output channels, whatever the groups. BN: weight 1, bias 0, statistics
    of an identity. Linear: weight uniform within 1/sqrt(inputs), which is the default of
    Torch (left alone by the authors) and of PyTorch alike; bias 0.
    """
    for module in network.modules():
        if isinstance(module, Conv):
            fan_out = module.out_channels * math.prod(module.kernel_size)
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
        elif isinstance(module, Norm):
            module.reset_parameters()
        elif isinstance(module, nn.Linear):
            module.reset_parameters()
            nn.init.zeros_(module.bias)


@torch.no_grad()
def zero_residuals(network: nn.Module) -> None:
    """Make every residual branch start at zero, so that a block begins as its shortcut.

    Source: Goyal et al., arXiv 1706.02677, section 5.1.
    """
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            for layer in module.last_layers:
                layer.get_parameter("weight").zero_()
