"""Narrow groups of a network's convolutions merged into wider ones, for runtimes that want those.

ONNX Runtime keeps images in blocks of 8 (AVX2) or 16 (AVX-512) channels, and only a convolution
whose groups are whole blocks runs in that layout. Any other one falls back to a slower kernel,
with a change of layout before and after it. m neighbouring groups equal one group of m times the
width whose weight is block-diagonal: the zeros add nothing to any sum.
"""

from __future__ import annotations

import copy

from torch import nn

from resnext.model.grouped_conv import merge_groups

BLOCK_CHANNELS = 16
"""ONNX Runtime's block with AVX-512, a multiple of that with AVX2; files must suit both."""


def widen_groups(network: nn.Module, least_channels: int = BLOCK_CHANNELS) -> nn.Module:
    """Return a copy of a network, of the same function, without narrow groups.

    The copy is made to be exported: its weights no longer fit the config that it carries, and
    its zeros would not stay zeros in training.

    Args:
        network: Any network; it is not changed.
        least_channels: The channels of every group, in and out, become a multiple of this where
            merging can reach one, if they are at most half of it. Depthwise convolutions stay
            as they are.

    Returns:
        The copy. Each sum has the same terms, in another order, so outputs agree to rounding.

    Source: measured, see docs/benchmark.md.
    """
    widened = copy.deepcopy(network)
    for module in widened.modules():
        if isinstance(module, nn.Conv2d):
            _widen(module, least_channels)
    return widened


def groups_to_widen(in_width: int, out_width: int, groups: int, least_channels: int) -> int:
    """Return how many neighbouring groups to merge so that each is made of whole blocks.

    Args:
        in_width: Input channels of one group.
        out_width: Output channels of one group.
        groups: Groups of the convolution.
        least_channels: Channels of a block.

    Returns:
        The smallest divisor of `groups` that makes both widths multiples of `least_channels`;
        1 where there is none, since merging short of a block would only add arithmetic; where a
        group has more than half a block, since there the zeros cost more than the slower kernel
        (measured for 14, 24 and 40 channels); and for depthwise convolutions, for which
        runtimes have kernels of their own.
    """
    if in_width == 1 or 2 * in_width > least_channels:
        return 1
    divisors = (m for m in range(1, groups + 1) if groups % m == 0)
    whole = (m for m in divisors if _is_whole(m * in_width, m * out_width, least_channels))
    return next(whole, 1)


def _is_whole(in_width: int, out_width: int, block: int) -> bool:
    return in_width % block == 0 and out_width % block == 0


def _widen(conv: nn.Conv2d, least_channels: int) -> None:
    if conv.groups == 1:
        return
    out_width = conv.out_channels // conv.groups
    merge = groups_to_widen(conv.weight.shape[1], out_width, conv.groups, least_channels)
    if merge == 1:
        return
    weight = merge_groups(conv.weight.detach(), conv.groups, merge)
    conv.weight = nn.Parameter(weight, requires_grad=conv.weight.requires_grad)
    conv.groups //= merge
