"""Merges narrow groups of a convolution into wider ones for the CPU.

oneDNN runs convolutions with few channels per group at a fraction of the machine's speed.
Neighbouring groups can be merged into one with a block-diagonal weight: the zeros do not change any
sum, and although the number of operations grows, the time decreases. The parameter keeps the shape
of an ordinary grouped convolution, so weight files do not change.

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
"""Channels per group from which oneDNN reaches full speed."""


def groups_to_merge(groups: int, group_width: int, *, channels_last: bool, training: bool) -> int:
    """Return how many neighbouring groups to compute as one on a CPU.

    Args:
        groups: Groups of the convolution.
        group_width: Input channels of one group.
        channels_last: Whether the images or the weight are in channels_last layout.
        training: Whether a gradient will be computed.

    Returns:
        A divisor of `groups`; 1 leaves the convolution unchanged.

    Source: measured, see docs/decisions/0002-narrow-groups.md.
    """
    merge = _MERGE[channels_last, training].get(group_width, 1)
    return next(m for m in range(merge, 0, -1) if groups % m == 0)


def groups_to_widen(groups: int, group_width: int) -> int:
    """Return how many neighbouring groups make one of at least 8 channels, regardless of cost.

    Returns:
        A divisor of `groups`, at most 4.
    """
    wanted = -(-_WIDE // group_width)
    return next(m for m in range(min(wanted, 4), 0, -1) if groups % m == 0)


def merge_groups(weight: torch.Tensor, groups: int, merge: int) -> torch.Tensor:
    """Convert the weight of a grouped convolution to fewer, wider groups.

    Args:
        weight: Channels out x channels in of one group x kernel.
        groups: Groups of the convolution; `merge` divides it.
        merge: Number of groups to merge into one.

    Returns:
        Channels out x (merge · channels in of one group) x kernel; zero outside the blocks.
    """
    out_channels, width, *kernel = weight.shape
    w_gmoik = weight.reshape(groups // merge, merge, out_channels // groups, width, -1)
    w_gmomik = torch.diag_embed(w_gmoik.movedim(1, -1), dim1=1, dim2=3)
    return w_gmomik.reshape(out_channels, merge * width, *kernel)
