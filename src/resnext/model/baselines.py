"""The non-residual networks that the paper compares with."""

from __future__ import annotations

from typing import Any

from torch import nn

from resnext.model.config import BaselineConfig
from resnext.model.convolution import replace_convolutions


def build_baseline(config: BaselineConfig) -> nn.Module:
    """Build torchvision's VGG-16/19 with BN or Inception-v3, with random weights.

    Inception-v3 comes without its auxiliary classifier, so that every network returns one tensor of
    logits; its smallest input is 75 x 75. Weights are initialised as in torchvision.

    Args:
        config: The network, its input channels and classes.

    Returns:
        The network, with `.config`.
    """
    from torchvision import models  # slow to import, and needed here only

    options: dict[str, Any] = {"weights": None, "num_classes": config.num_classes}
    if config.family == "inception_v3":
        options |= {"aux_logits": False, "init_weights": True}
    network: Any = getattr(models, config.family)(**options)
    if config.in_channels != 3:
        _replace_first_conv(network, config)
    replace_convolutions(network)
    network.config = config
    return network  # type: ignore[no-any-return]  # torchvision carries no types


def _replace_first_conv(network: Any, config: BaselineConfig) -> None:
    """Replace the first convolution for other input channels, with torchvision's initialisation."""
    if config.family == "inception_v3":
        first = nn.Conv2d(config.in_channels, 32, 3, stride=2, bias=False)
        nn.init.trunc_normal_(first.weight, std=0.1, a=-2.0, b=2.0)
        network.Conv2d_1a_3x3.conv = first
    else:
        first = nn.Conv2d(config.in_channels, 64, 3, padding=1)
        nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")
        assert first.bias is not None
        nn.init.zeros_(first.bias)
        network.features[0] = first
