"""Merges narrow groups of convolutions into wider ones, which some runtimes compute faster.

ONNX Runtime keeps images in blocks of 8 (AVX2) or 16 (AVX-512) channels, and only a convolution
whose groups are whole blocks runs in that layout. Any other falls back to a slower kernel, with a
change of layout before and after it. m neighbouring groups equal one group of m times the width
with a block-diagonal weight: the zeros add nothing to any sum.
"""

from __future__ import annotations

import copy

from torch import nn

from resnext.model.grouped_conv import merge_groups

BLOCK_CHANNELS = 16
"""ONNX Runtime's block with AVX-512, a multiple of the block with AVX2; files must suit both."""


def widen_groups(network: nn.Module, least_channels: int = BLOCK_CHANNELS) -> nn.Module:
    """Return a copy of a network that computes the same function without narrow groups.

    The copy is only for export: its weights do not match its config, and its zeros would not
    stay zero in training.

    Args:
        network: Any network; it is not changed.
        least_channels: Input and output channels of every group become a multiple of this if
            merging can reach one and they are at most half of it. Depthwise convolutions are
            not changed.

    Returns:
        The copy. Each sum has the same terms in another order, so outputs agree up to rounding.

    Source: measured, see docs/benchmark.md.
    """
    widened = copy.deepcopy(network)
    for module in widened.modules():
        if isinstance(module, nn.Conv2d):
            _widen(module, least_channels)
    return widened


def groups_to_widen(in_width: int, out_width: int, groups: int, least_channels: int) -> int:
    """Return how many neighbouring groups to merge so that each consists of whole blocks.

    Args:
        in_width: Input channels of one group.
        out_width: Output channels of one group.
        groups: Groups of the convolution.
        least_channels: Channels of a block.

    Returns:
        The smallest divisor of `groups` that makes both widths multiples of `least_channels`. 1 if
        there is none, since a partial block would only add arithmetic; if a group has more than
        half a block, since the zeros then cost more than the slower kernel (measured for 14, 24
        and 40 channels); and for depthwise convolutions, which have their own kernels.
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
