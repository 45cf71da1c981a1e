"""Entry points for `torch.hub`: networks by name, with random or trained weights.

    torch.hub.list("OWNER/resnext")
    torch.hub.load("OWNER/resnext", "resnext50_32x4d")
    torch.hub.load("OWNER/resnext", "resnext50_32x4d", weights="resnext50_32x4d.a1h_in1k")
    torch.hub.load("OWNER/resnext", "load", "hf-hub:me/my-network")

A checkout is enough; nothing needs to be installed but the dependencies.
"""

from __future__ import annotations

import sys as _sys
from pathlib import Path as _Path
from typing import TYPE_CHECKING
from typing import Any as _Any
from typing import Literal as _Literal

dependencies = ["filelock", "huggingface_hub", "numpy", "pydantic", "safetensors", "torch"]

_sys.path.insert(0, str(_Path(__file__).resolve().parent / "src"))

if TYPE_CHECKING:
    from torch import nn

    from resnext.model.trained import TrainedNetwork


def create_model(name: str, **overrides: _Any) -> nn.Module:
    """Build a network with random weights.

    Args:
        name: A name such as `resnext50_32x4d`, `resnext29_8x64d` or `resnet_2-2-2-2_basic`.
        **overrides: Settings to change, such as `num_classes`, `in_channels`, `shortcut`.

    Returns:
        The network; `.config` is its architecture.
    """
    from resnext.model.create import create_model as build

    return build(name, **overrides)


def load(
    name_or_path: str,
    device: str = "cpu",
    *,
    shortcut_padding: _Literal["end", "both"] | None = None,
    accept_licence: bool = False,
) -> TrainedNetwork:
    """Rebuild a trained network.

    Args:
        name_or_path: A run folder, a weight file of any known family, a name of the catalogue
            such as `resnext50_32x4d.a1h_in1k`, or `hf-hub:OWNER/NAME`.
        device: Where the network goes.
        shortcut_padding: Where type A shortcuts of another library's file pad with zeros:
            `end`, behind the channels, or `both`, half before them.
        accept_licence: Fetch also weights that may not be used commercially.

    Returns:
        The network, which can be called, with its `.config` and `.card`; its `.module` is the
        `nn.Module`, in evaluation mode, that the other entry points return.
    """
    from resnext.inference.load import load as open_network

    return open_network(
        name_or_path,
        device,
        shortcut_padding=shortcut_padding,
        accept_licence=accept_licence,
    )


def resnet50(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNet-50 for 1000 classes.

    Args:
        weights: What `load` takes; None draws random weights.
        **overrides: Settings to change in a network with random weights, such as `num_classes`.
    """
    return _network("resnet50", weights, overrides)


def resnet101(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNet-101 for 1000 classes; arguments as for `resnet50`."""
    return _network("resnet101", weights, overrides)


def resnet152(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNet-152 for 1000 classes; arguments as for `resnet50`."""
    return _network("resnet152", weights, overrides)


def resnext50_32x4d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-50 with 32 paths of 4 channels, for 1000 classes; arguments as for `resnet50`."""
    return _network("resnext50_32x4d", weights, overrides)


def resnext101_32x4d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-101 with 32 paths of 4 channels, for 1000 classes; arguments as for `resnet50`."""
    return _network("resnext101_32x4d", weights, overrides)


def resnext101_32x8d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-101 with 32 paths of 8 channels, for 1000 classes; arguments as for `resnet50`."""
    return _network("resnext101_32x8d", weights, overrides)


def resnext101_64x4d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-101 with 64 paths of 4 channels, for 1000 classes; arguments as for `resnet50`."""
    return _network("resnext101_64x4d", weights, overrides)


def resnext29_8x64d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-29 for CIFAR, 8 paths of 64 channels, 10 classes; arguments as for `resnet50`."""
    return _network("resnext29_8x64d", weights, overrides)


def resnext29_16x64d(weights: str | None = None, **overrides: _Any) -> nn.Module:
    """ResNeXt-29 for CIFAR, 16 paths of 64 channels, 10 classes; arguments as for `resnet50`."""
    return _network("resnext29_16x64d", weights, overrides)


def _network(name: str, weights: str | None, overrides: dict[str, _Any]) -> nn.Module:
    """Build a network by name, or load weights that are of this network."""
    from resnext.errors import ConfigError
    from resnext.model.names import name_of

    if weights is None:
        return create_model(name, **overrides)
    if overrides:
        raise ConfigError(
            f"{', '.join(overrides)}: weights={weights!r} fix the architecture; leave the settings "
            "out, or leave the weights out and load them yourself"
        )
    trained = load(weights)
    found = name_of(trained.config)
    if found != name:
        raise ConfigError(f"weights={weights!r} are those of {found}, not of {name}; call {found}")
    return trained.module
