"""From a name or a config to a network."""

from __future__ import annotations

from typing import Any

from torch import nn

from resnext.model.baselines import build_baseline
from resnext.model.config import BaselineConfig, ModelConfig
from resnext.model.names import config_from
from resnext.model.network import ResNeXt


def create_model(name_or_config: str | ModelConfig, **overrides: Any) -> nn.Module:
    """Build a network with random weights, drawn from torch's global generator.

    Example:
        >>> import torch
        >>> from resnext import create_model
        >>> model = create_model("resnext29_8x64d", num_classes=10, in_channels=1)
        >>> model(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
        >>> model.config.template
        '8x64d'

    Args:
        name_or_config: A name such as `resnext50_32x4d` (see `list_models` and
            `parse_name`) or a config.
        **overrides: Settings of the config to change, such as `num_classes`,
            `in_channels`, `form`, `shortcut`, `ndim`.

    Returns:
        The bare network; `.config` is its architecture. Trained ones come from `resnext.load`.

    Raises:
        ConfigError: The name or a setting is not accepted.
    """
    config = config_from(name_or_config, **overrides)
    if isinstance(config, BaselineConfig):
        return build_baseline(config)
    return ResNeXt(config)
