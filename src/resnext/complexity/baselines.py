"""The cost of the networks that the paper compares with, which have no plan of ours."""

from __future__ import annotations

import torch

from resnext.complexity.cost import Cost, StageCost
from resnext.complexity.execution import kept_bytes, peak_bytes, run_layers
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig
from resnext.model.create import create_model

SMALLEST_SIDE = {"vgg16_bn": 32, "vgg19_bn": 32, "inception_v3": 75}
"""Pixels; with fewer, a map vanishes on the way (VGG halves five times)."""


def count_baseline(config: BaselineConfig, sides: tuple[int, ...]) -> Cost:
    """Count one of torchvision's networks.

    Args:
        config: The network, its input channels and classes.
        sides: Height and width of the input in pixels.

    Raises:
        ConfigError: The input is too small for the network.
    """
    smallest = SMALLEST_SIDE[config.family]
    if min(sides) < smallest:
        raise ConfigError(
            f"an input of {'x'.join(map(str, sides))} pixels is too small for {config.family}; "
            f"the smallest that it accepts is {smallest}x{smallest}"
        )
    with torch.device("meta"):
        model = create_model(config).eval()
        images = torch.empty(2, config.in_channels, *sides)
    layers = run_layers(model, images[:1])
    total = StageCost(
        name=config.family,
        output=layers[-1].output,
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=tuple(layers),
        stages=(total,),
        peak_activation_bytes=peak_bytes(model, torch.empty_like(images[:1])),
        training_activation_bytes=kept_bytes(model.train(), images),
    )
