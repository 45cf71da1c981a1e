"""Narrow groups of a convolution merged into wider ones, and how many to merge on the CPU.

oneDNN runs convolutions with few channels a group at a fraction of the machine's speed.
Neighbouring groups can be merged into one whose weight is block-diagonal: the zeros add
nothing to any sum, the arithmetic grows, and the time falls all the same. The parameter
keeps the shape of an ordinary grouped convolution, so weight files do not change.

Legend: b batch, c channels, g groups after merging, m groups merged into one,
o output and i input channels of one original group, k positions of the kernel.
"""

from __future__ import annotations

import torch

# By layout and pass: width of a group -> groups to merge. The default layout is slowest in
# the backward pass; channels_last is good already from 4 channels on.
_MERGE: dict[tuple[bool, bool], dict[int, int]] = {
    (False, False): {2: 4},
    (False, True): {2: 4, 4: 2, 6: 4},
    (True, False): {2: 2},
    (True, True): {2: 2, 3: 2},
}

_WIDE = 8
"""Channels of a group from which on oneDNN is as fast as the machine."""


def groups_to_merge(groups: int, group_width: int, *, channels_last: bool, training: bool) -> int:
    """Return how many neighbouring groups to compute as one on a CPU.

    Args:
        groups: Groups of the convolution.
        group_width: Input channels of one group.
        channels_last: The images or the weight lie in memory with the channels innermost.
        training: A gradient will be computed.

    Returns:
        A divisor of `groups`; 1 leaves the convolution as it is.

    Source: measured, see docs/decisions/0002-narrow-groups.md.
    """
    merge = _MERGE[channels_last, training].get(group_width, 1)
    return next(m for m in range(merge, 0, -1) if groups % m == 0)


def groups_to_widen(groups: int, group_width: int) -> int:
    """Return how many neighbouring groups make one of 8 channels or more, whatever it costs.

    Returns:
        A divisor of `groups`, at most 4.
    """
    wanted = -(-_WIDE // group_width)
    return next(m for m in range(min(wanted, 4), 0, -1) if groups % m == 0)


def merge_groups(weight: torch.Tensor, groups: int, merge: int) -> torch.Tensor:
    """Write the weight of a grouped convolution as that of one with fewer, wider groups.

    Args:
        weight: Channels out x channels in of one group x kernel.
        groups: Groups of the convolution; `merge` divides it.
        merge: Groups that become one.

    Returns:
        Channels out x (merge · channels in of one group) x kernel; zero outside the blocks.
    """
    out_channels, width, *kernel = weight.shape
    w_gmoik = weight.reshape(groups // merge, merge, out_channels // groups, width, -1)
    w_gmomik = torch.diag_embed(w_gmoik.movedim(1, -1), dim1=1, dim2=3)
    return w_gmomik.reshape(out_channels, merge * width, *kernel)
