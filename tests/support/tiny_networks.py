"""Small networks with weights, statistics and a card, ready to be exported."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.signal import SignalInput, SignalKind
from resnext.model.trained import TrainedNetwork

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def tiny_config(**changes: Any) -> ResNeXtConfig:
    settings: dict[str, Any] = {
        "stem": "cifar",
        "blocks_per_stage": (1, 1),
        "cardinality": 4,
        "bottleneck_width": 2,
        "stage_widths": (16, 32),
        "stem_width": 8,
        "num_classes": 5,
    }
    return ResNeXtConfig(**settings | changes)


def tiny(card: ModelCard | None = None, **changes: Any) -> TrainedNetwork:
    """Build a network whose BN does something: folding it wrongly shows."""
    torch.manual_seed(0)
    config = tiny_config(**changes)
    module = create_model(config).eval()
    draw_statistics(module)
    channels = config.in_channels
    if card is None:
        card = ModelCard(
            image_size_px=16,
            resize_px=20,
            mean=(0.4, 0.5, 0.6)[:channels],
            std=(0.2, 0.25, 0.3)[:channels],
            classes=("ant", "bee", "cat", "dog", "eel"),
            metrics={"top1_error": 12.5},
        )
    return TrainedNetwork(module, config, card)


def draw_statistics(module: nn.Module) -> None:
    """Make the BN of a network do something."""
    for layer in module.modules():
        if isinstance(layer, _NORMS):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.normal_(layer.running_mean, 0.0, 0.3)
            nn.init.uniform_(layer.running_var, 0.3, 3.0)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0.0, 0.3)


def tiny_signals(
    kind: SignalKind = "series", channels: int = 2, size: int = 16, **changes: Any
) -> TrainedNetwork:
    """Build a network for series of 2 x 16, or for volumes."""
    signal = SignalInput(
        kind=kind, size=size, mean=(3.0, -1.0)[:channels], std=(2.0, 0.5)[:channels]
    )
    card = ModelCard(
        image_size_px=size,
        resize_px=None,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        classes=("ant", "bee", "cat", "dog", "eel"),
        signal=signal,
    )
    return tiny(card, in_channels=channels, ndim=signal.ndim, **changes)
