"""The bottleneck as separate paths: summed in form (a), concatenated early in form (b).

Both compute exactly what the grouped form (c) computes: BN works on each channel separately, so the
BN of a path is a slice of the common BN. The BN after the last 1x1 follows the sum; paths have none
there.

Source: arXiv 1611.05431, section 3.3 and figure 3.
"""

from __future__ import annotations

import torch
from torch import nn

from resnext.model.blocks import ResidualBlock
from resnext.model.config import ResNeXtConfig
from resnext.model.layers import conv, norm, relu
from resnext.model.plan import BlockPlan


class Path(nn.Module):
    """One transformation T_i: 1x1 to d channels, 3x3 and, in form (a), 1x1.

    Its BNs are named as in form (c), which simplifies conversion between the forms.
    """

    __constants__ = ("preactivation",)

    def __init__(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        super().__init__()
        ndim, width = config.ndim, plan.path_width
        self.preactivation = config.preactivation
        self.conv1 = conv(ndim, plan.in_channels, width, 1)
        if not config.preactivation:
            self.bn1 = norm(ndim, width)
            self.relu1 = relu()
            self.conv2 = conv(ndim, width, width, 3, plan.stride, dilation=plan.dilation)
        self.bn2 = norm(ndim, width)
        self.relu2 = relu()
        if config.preactivation:
            self.conv2 = conv(ndim, width, width, 3, plan.stride, dilation=plan.dilation)
            self.bn3 = norm(ndim, width)
            self.relu3 = relu()
        self.conv3 = conv(ndim, width, plan.out_channels, 1) if config.form == "a" else None

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Map in_channels to d channels or, in form (a), to out_channels."""
        if self.preactivation:
            x_bc = self.relu2(self.bn2(self.conv1(x_bc)))
            x_bc = self.relu3(self.bn3(self.conv2(x_bc)))
        else:
            x_bc = self.relu1(self.bn1(self.conv1(x_bc)))
            x_bc = self.relu2(self.bn2(self.conv2(x_bc)))
        return x_bc if self.conv3 is None else self.conv3(x_bc)


class SplitBottleneck(ResidualBlock):
    """Forms (a) and (b): C separate paths, then a sum, or a 1x1 on their concatenation."""

    __constants__ = (*ResidualBlock.__constants__, "_early")

    def add_branch(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        """Add the paths and the layer that merges them."""
        self.paths = nn.ModuleList(Path(plan, config) for _ in range(plan.cardinality))
        if config.form == "b":
            self.conv3 = conv(config.ndim, plan.group_width, plan.out_channels, 1)
        self._early = config.form == "b"
        if not config.preactivation:
            self.bn3 = norm(config.ndim, plan.out_channels)

    def branch(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Split, transform, merge."""
        if self._early:
            y_bc: torch.Tensor = self.conv3(torch.cat([path(x_bc) for path in self.paths], dim=1))
        else:
            y_bc = self.paths[0](x_bc)
            for number, path in enumerate(self.paths):
                if number > 0:  # not a slice, which torch.jit.script does not unroll
                    y_bc.add_(path(x_bc))
        return y_bc if self.preactivation else self.bn3(y_bc)

    @property
    def last_layers(self) -> list[nn.Module]:
        """The BN after the sum or, in pre-activation blocks, all last convolutions."""
        if not self.preactivation:
            return [self.bn3]
        return [self.conv3] if self._early else [path.get_submodule("conv3") for path in self.paths]
