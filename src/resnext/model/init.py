"""The initial weights, as in the authors' code.

Source: arXiv 1611.05431, section 4, and the released Torch code (models/resnext.lua).
"""

from __future__ import annotations

import math

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.blocks import ResidualBlock
from resnext.model.layers import Conv, Norm


def initialise(network: nn.Module) -> None:
    """Initialise every weight from torch's global generator, in module order.

    Convolutions: normal with deviation sqrt(2 / fan-out), where fan-out is the kernel's size times
    all output channels, regardless of groups. BN: weight 1, bias 0, statistics of an identity.
    Linear: weight uniform within 1/sqrt(inputs), the default of both Torch (unchanged by the
    authors) and PyTorch; bias 0. Other layers, which only custom parts have, are initialised by
    `reset_parameters`.

    Raises:
        ConfigError: A layer has parameters but no `reset_parameters`.
    """
    for module in network.modules():
        if isinstance(module, Conv):
            fan_out = module.out_channels * math.prod(module.kernel_size)
            nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
            _zero_bias(module)
        elif isinstance(module, Norm):
            module.reset_parameters()
        elif isinstance(module, nn.Linear):
            draw_linear(module)
        elif callable(reset := getattr(module, "reset_parameters", None)):
            reset()
        else:
            _check_no_values(module)


def draw_linear(layer: nn.Linear) -> None:
    """Initialise the weights of a classifier."""
    layer.reset_parameters()
    _zero_bias(layer)


def _zero_bias(module: nn.Module) -> None:
    if isinstance(module.bias, nn.Parameter):
        nn.init.zeros_(module.bias)


def _check_no_values(module: nn.Module) -> None:
    """Check that no parameters stay uninitialised; the network is first built without memory."""
    own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    if own:
        raise ConfigError(
            f"{type(module).__name__} has {', '.join(name for name, _ in own)} but no "
            "reset_parameters() to initialise them; add one"
        )


@torch.no_grad()
def zero_residuals(network: nn.Module) -> None:
    """Make every residual branch zero, so that a block starts as its shortcut.

    Source: Goyal et al., arXiv 1706.02677, section 5.1.
    """
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            for layer in module.last_layers:
                layer.get_parameter("weight").zero_()
