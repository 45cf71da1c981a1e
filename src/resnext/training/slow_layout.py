"""Detects a slowdown of grouped bf16 convolutions in channels_last on this CPU.

A nightly build of torch once lost its fast kernels for them (4 to 16 times slower), while fp32 and
the other layout kept theirs. The speed table does not cover later versions, so one convolution is
timed before it is used.

Source: https://github.com/pytorch/pytorch/issues/183815
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from resnext.turns import take_turns

TOO_SLOW = 3.0
"""Threshold, far above usual differences between layouts and below the reported slowdown."""

_BATCH, _GROUPS, _SIDE_PX, _ROUNDS = 4, 32, 28, 3


def channels_last_slowdown(group_width: int, dtype: torch.dtype) -> float:
    """Time a grouped 3x3 convolution with its gradients, in about 50 ms.

    Args:
        group_width: Channels of a group.
        dtype: Of images and weights.

    Returns:
        Minimum time in channels_last relative to the contiguous layout.
    """
    layouts = (torch.channels_last, torch.contiguous_format)
    last, contiguous = take_turns(
        [_convolution(group_width, dtype, layout) for layout in layouts], _ROUNDS, warm_up=1
    )
    return min(last) / min(contiguous)


def _convolution(
    group_width: int, dtype: torch.dtype, layout: torch.memory_format
) -> Callable[[], None]:
    channels = _GROUPS * group_width
    generator = torch.Generator().manual_seed(0)
    x_bchw = torch.randn(_BATCH, channels, _SIDE_PX, _SIDE_PX, generator=generator)
    weight = torch.randn(channels, group_width, 3, 3, generator=generator)
    x_bchw, weight = (
        part.to(dtype).contiguous(memory_format=layout).requires_grad_()
        for part in (x_bchw, weight)
    )

    def run() -> None:
        y_bchw = F.conv2d(x_bchw, weight, padding=1, groups=_GROUPS)
        torch.autograd.grad(y_bchw, (x_bchw, weight), y_bchw.detach())

    return run
