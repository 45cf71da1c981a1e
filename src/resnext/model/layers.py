"""The layers by number of spatial dimensions, so that blocks are written once."""

from __future__ import annotations

from torch import nn

from resnext.model.grouped_conv import GroupedConv1d, GroupedConv2d, GroupedConv3d

Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d
Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d

_CONV: dict[int, type[Conv]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_GROUPED_CONV: dict[int, type[Conv]] = {1: GroupedConv1d, 2: GroupedConv2d, 3: GroupedConv3d}
_NORM: dict[int, type[Norm]] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_MAX_POOL = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


def conv(
    ndim: int, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> Conv:
    """Build a convolution without bias (BN follows) that keeps the size at stride 1.

    Args:
        ndim: Spatial dimensions, 1 to 3.
        in_channels: Channels that enter.
        out_channels: Channels that leave.
        kernel: Side of the kernel, odd.
        stride: Step along every dimension.
        groups: Cardinality; divides both channel counts.
    """
    layer = _CONV[ndim] if groups == 1 else _GROUPED_CONV[ndim]
    return layer(
        in_channels,
        out_channels,
        kernel,
        stride=stride,
        padding=kernel // 2,
        groups=groups,
        bias=False,
    )


def norm(ndim: int, channels: int) -> Norm:
    """Build batch normalisation of `channels` channels."""
    return _NORM[ndim](channels)


def max_pool(ndim: int) -> nn.Module:
    """Build the 3x3 max pool of stride 2 behind the ImageNet stem."""
    return _MAX_POOL[ndim](3, stride=2, padding=1)
