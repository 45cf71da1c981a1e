"""The shortcut of a residual block: types A, B and C of the ResNet paper, or none.

Source: He et al., arXiv 1512.03385, section 4.1 ("identity vs. projection shortcuts").
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from resnext.model.config import ResNeXtConfig
from resnext.model.layers import conv, norm
from resnext.model.parts import ShortcutPart
from resnext.model.plan import BlockPlan


class ZeroPad(nn.Module):
    """Subsamples the map and appends zero channels: a shortcut without parameters."""

    __constants__ = ("ndim", "stride", "padding")

    def __init__(self, ndim: int, stride: int, num_extra: int) -> None:
        super().__init__()
        self.ndim = ndim
        self.stride = stride
        # F.pad counts from the last dimension: no spatial padding, then the channels.
        self.padding = [0, 0] * ndim + [0, num_extra]

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Take every `stride`-th position and append channels."""
        step = self.stride
        if step > 1:  # written out, since torch.jit.script knows no tuple of slices
            if self.ndim == 1:
                x_bc = x_bc[:, :, ::step]
            elif self.ndim == 2:
                x_bc = x_bc[:, :, ::step, ::step]
            else:
                x_bc = x_bc[:, :, ::step, ::step, ::step]
        return F.pad(x_bc, self.padding)


def build_shortcut(plan: BlockPlan, config: ResNeXtConfig) -> nn.Module | None:
    """Build the shortcut of a block.

    A pre-activation network has no BN after the projection: the next block normalises the sum.

    Args:
        plan: The block's shapes and kind of shortcut.
        config: The network.

    Returns:
        A module, or None for a block without a shortcut. The projection is a sequence, so
        that its state-dict keys are `0.weight`, `1.weight`, ... as in torchvision.
    """
    if plan.shortcut == "none":
        return None
    if plan.shortcut == "identity":
        return nn.Identity()
    if plan.shortcut == "custom":
        assert isinstance(config.shortcut, ShortcutPart)
        return config.shortcut.build(plan, config)
    if plan.shortcut == "zero_pad":
        return ZeroPad(config.ndim, plan.stride, plan.out_channels - plan.in_channels)
    project = nn.Sequential(conv(config.ndim, plan.in_channels, plan.out_channels, 1, plan.stride))
    if not config.preactivation:
        project.append(norm(config.ndim, plan.out_channels))
    return project
