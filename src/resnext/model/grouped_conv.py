"""The grouped convolution, fast on the CPU when its groups are narrow.

oneDNN runs convolutions with few channels a group at a fraction of the machine's speed.
Neighbouring groups can be merged into one whose weight is block-diagonal: the zeros add
nothing to any sum, the arithmetic grows, and the time falls all the same. The parameter
keeps the shape of an ordinary grouped convolution, so weight files do not change.

Legend: b batch, c channels, g groups after merging, m groups merged into one,
o output and i input channels of one original group, k positions of the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    _ConvBase = nn.modules.conv._ConvNd
else:
    _ConvBase = object

# By layout and pass: width of a group -> groups to merge. The default layout is slowest in
# the backward pass; channels_last is good already from 4 channels on.
_MERGE: dict[tuple[bool, bool], dict[int, int]] = {
    (False, False): {2: 4},
    (False, True): {2: 4, 4: 2, 6: 4},
    (True, False): {2: 2},
    (True, True): {2: 2, 3: 2},
}

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


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


class _GroupedConv(_ConvBase):
    """Merges narrow groups on the CPU; everything else is the convolution it extends."""

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Convolve a batch; the result equals the ordinary grouped convolution's."""
        # Exported files and counts on the meta device hold the network as it is defined.
        merge = 1
        if x_bc.device.type == "cpu" and not _is_exported():
            merge = self._groups_to_merge(x_bc)
        if merge == 1:
            y_bc: torch.Tensor = super().forward(x_bc)
            return y_bc
        convolve = _CONVOLUTIONS[self.weight.ndim - 2]
        weight = merge_groups(self.weight, self.groups, merge)
        return convolve(
            x_bc, weight, self.bias, self.stride, self.padding, self.dilation, self.groups // merge
        )

    def _groups_to_merge(self, x_bc: torch.Tensor) -> int:
        width = self.weight.shape[1]
        if width == 1 or width >= 8:
            return 1
        layouts = (x_bc, self.weight)
        return groups_to_merge(
            self.groups,
            width,
            channels_last=x_bc.ndim == 4 and any(_is_channels_last(layout) for layout in layouts),
            training=torch.is_grad_enabled() and any(part.requires_grad for part in layouts),
        )


def _is_channels_last(x_bchw: torch.Tensor) -> bool:
    channels_last = x_bchw.is_contiguous(memory_format=torch.channels_last)
    return channels_last and not x_bchw.is_contiguous()


def _is_exported() -> bool:
    return torch.compiler.is_exporting() or torch._C._get_tracing_state() is not None


class GroupedConv1d(_GroupedConv, nn.Conv1d):
    """`nn.Conv1d` with several groups."""


class GroupedConv2d(_GroupedConv, nn.Conv2d):
    """`nn.Conv2d` with several groups."""


class GroupedConv3d(_GroupedConv, nn.Conv3d):
    """`nn.Conv3d` with several groups."""
