"""The cost of the networks that the paper compares with, which have no plan here.

They are torchvision's. Their architectures are written out here, so that counting imports neither
torch nor torchvision; tests check every number against torchvision.
"""

from __future__ import annotations

from resnext.complexity.cost import Cost, StageCost
from resnext.complexity.flow import Flow, record
from resnext.complexity.inception import run_inception
from resnext.complexity.shape import Shape
from resnext.complexity.vgg import run_vgg
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig

MIN_SIDE = {"vgg16_bn": 32, "vgg19_bn": 32, "inception_v3": 75}
"""Minimum side in pixels; below it, a map would become empty (VGG halves five times)."""


def count_baseline(config: BaselineConfig, sides: tuple[int, ...]) -> Cost:
    """Count one of torchvision's networks, by arithmetic alone.

    Args:
        config: The network, its input channels and classes.
        sides: Height and width of the input in pixels.

    Raises:
        ConfigError: The input is too small for the network.
    """
    smallest = MIN_SIDE[config.family]
    if min(sides) < smallest:
        raise ConfigError(
            f"an input of {'x'.join(map(str, sides))} pixels is too small for {config.family}; "
            f"the smallest accepted size is {smallest}x{smallest}"
        )
    _, recorded = record(lambda flow: _run(flow, config), Shape(config.in_channels, sides))
    layers = recorded.layers
    total = StageCost(
        name=config.family,
        output=layers[-1].output,
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        activations=sum(layer.activations for layer in layers),
    )
    return Cost(
        input_size=(config.in_channels, *sides),
        layers=layers,
        stages=(total,),
        peak_activation_bytes=recorded.peak_bytes,
        training_activation_bytes=recorded.kept_bytes,
    )


def _run(flow: Flow, config: BaselineConfig) -> None:
    if config.family == "inception_v3":
        run_inception(flow, config.num_classes)
    else:
        run_vgg(flow, config.family, config.num_classes)
