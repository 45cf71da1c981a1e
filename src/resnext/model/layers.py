"""Layers for 1, 2 and 3 spatial dimensions, so that blocks are written once."""

from __future__ import annotations

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.convolution import Conv1d, Conv2d, Conv3d, is_proxy

Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d

_CONV: dict[int, type[Conv]] = {1: Conv1d, 2: Conv2d, 3: Conv3d}
_NORM: dict[int, type[Norm]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_MAX_POOL = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


def conv(
    ndim: int,
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
) -> Conv:
    """Build a convolution without bias (BN follows) that keeps the size at stride 1.

    Args:
        ndim: Spatial dimensions, 1 to 3.
        in_channels: Input channels.
        out_channels: Output channels.
        kernel: Side of the kernel, odd.
        stride: Step along every dimension.
        groups: Cardinality; divides both channel counts.
        dilation: Spacing between kernel elements.
    """
    return _CONV[ndim](
        in_channels,
        out_channels,
        kernel,
        stride=stride,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        groups=groups,
        bias=False,
    )


def norm(ndim: int, channels: int) -> Norm:
    """Build batch normalisation of `channels` channels."""
    return _NORM[ndim](channels)


def max_pool(ndim: int) -> nn.Module:
    """Build the 3x3 max pool of stride 2 after the ImageNet stem."""
    return _MAX_POOL[ndim](3, stride=2, padding=1)


def relu() -> nn.Module:
    """Build an in-place ReLU.

    BN does not need its own output for the gradient, so no memory is kept for it. Every position in
    a network has its own ReLU, which costs nothing and is required by attribution methods: their
    hooks store one pair of activations per module (captum's DeepLift refuses a module that runs
    twice).
    """
    return nn.ReLU(inplace=True)


class AveragePool(nn.Module):
    """The mean over all positions: b x c x space to b x c x 1 (x 1 x 1), as in torchvision.

    `nn.AdaptiveAvgPool2d` sums in another order, which would change published logits.
    """

    __constants__ = ("dims",)

    def __init__(self, ndim: int) -> None:
        super().__init__()
        self.dims = list(range(2, 2 + ndim))

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Average every channel."""
        return x_bc.mean(dim=self.dims, keepdim=True)


def check_input(x_bc: torch.Tensor, config: ResNeXtConfig) -> None:
    """Check that a batch fits a network; torch.fx proxies have no shape.

    Raises:
        ConfigError: The rank or the number of channels does not fit.
    """
    if is_proxy(x_bc):
        return
    if x_bc.ndim != config.input_ndim + 2 or x_bc.shape[1] != config.in_channels:
        raise ConfigError(
            f"input of shape {tuple(x_bc.shape)}: this network takes batch x "
            f"{config.in_channels} channel(s) x {config.input_ndim} spatial dimension(s); "
            "reshape the input or build the network with other in_channels or ndim"
        )
