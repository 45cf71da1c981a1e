"""The residual block: post- or pre-activation, of two or three layers, in three forms.

post-activation   x -> branch(x) + shortcut(x) -> ReLU, where the branch ends with a BN
pre-activation    x -> a = ReLU(BN(x)); branch(a) + shortcut, where the branch ends with a
                  convolution; a projection reads a, every other shortcut carries x itself

ReLU and the addition work in place: BN and convolution do not need their own output for the
gradient.

Source: arXiv 1611.05431, section 3.3 and figure 3; He et al., arXiv 1603.05027 (pre-activation).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from resnext.model.config import ResNeXtConfig
from resnext.model.layers import conv, norm, relu
from resnext.model.plan import BlockPlan
from resnext.model.shortcut import build_shortcut


class ResidualBlock(nn.Module, ABC):
    """Adds a branch to a shortcut; subclasses define the branch.

    Attributes:
        preactivation: Whether BN and ReLU precede the convolutions.
        downsample: The shortcut; torchvision's name, as it becomes a state-dict key.
    """

    # torch.jit.script compiles only the branch of an `if` that such an attribute selects.
    __constants__: tuple[str, ...] = ("preactivation", "_project_activated")
    __jit_unused_properties__ = ("last_layers",)

    def __init__(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        super().__init__()
        self.preactivation = config.preactivation
        has_projection = plan.shortcut in ("projection", "custom")
        self._project_activated = config.preactivation and has_projection
        if config.preactivation:
            self.bn1: nn.Module = norm(config.ndim, plan.in_channels)
            self.relu1 = relu()
        self.add_branch(plan, config)
        self.downsample = build_shortcut(plan, config)
        if not config.preactivation:
            self.relu = relu()

    @abstractmethod
    def add_branch(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        """Add the layers of the branch; pre-activation blocks already have `bn1`."""

    @abstractmethod
    def branch(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Compute the residual as a new tensor, which may be changed in place."""

    @property
    @abstractmethod
    def last_layers(self) -> list[nn.Module]:
        """The layers whose zero weights make the residual zero without blocking its training.

        The last BN; in pre-activation blocks the last convolutions, as a ReLU follows the last BN
        and passes no gradient at zero.
        """

    def forward(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Map b x in_channels x space to b x out_channels x space / stride."""
        if not self.preactivation:
            y_bc: torch.Tensor = self.relu(self._add_shortcut(self.branch(x_bc), x_bc))
            return y_bc
        activated = self.relu1(self.bn1(x_bc))
        carried = activated if self._project_activated else x_bc
        return self._add_shortcut(self.branch(activated), carried)

    def _add_shortcut(self, residual: torch.Tensor, x_bc: torch.Tensor) -> torch.Tensor:
        if self.downsample is None:
            return residual
        return residual.add_(self.downsample(x_bc))


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions; cardinality 1."""

    def add_branch(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        """Add the two convolutions and their BN."""
        ndim, width = config.ndim, plan.group_width
        self.conv1 = conv(ndim, plan.in_channels, width, 3, plan.stride, dilation=plan.dilation)
        if not config.preactivation:
            self.bn1 = norm(ndim, width)
            self.relu1 = relu()
        self.conv2 = conv(ndim, width, plan.out_channels, 3, dilation=plan.last_dilation)
        self.bn2 = norm(ndim, width if config.preactivation else plan.out_channels)
        if config.preactivation:
            self.relu2 = relu()

    def branch(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Convolve 3x3 twice."""
        if self.preactivation:
            y_bc: torch.Tensor = self.conv2(self.relu2(self.bn2(self.conv1(x_bc))))
        else:
            y_bc = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x_bc)))))
        return y_bc

    @property
    def last_layers(self) -> list[nn.Module]:
        """The last BN or, in pre-activation blocks, the last convolution."""
        return [self.conv2 if self.preactivation else self.bn2]


class GroupedBottleneck(ResidualBlock):
    """Form (c): 1x1 to C·d channels, 3x3 in C groups, 1x1."""

    def add_branch(self, plan: BlockPlan, config: ResNeXtConfig) -> None:
        """Add the three convolutions and their BN."""
        ndim, width = config.ndim, plan.group_width
        self.conv1 = conv(ndim, plan.in_channels, width, 1)
        if not config.preactivation:
            self.bn1 = norm(ndim, width)
            self.relu1 = relu()
        self.conv2 = conv(ndim, width, width, 3, plan.stride, plan.cardinality, plan.dilation)
        self.bn2 = norm(ndim, width)
        self.relu2 = relu()
        self.conv3 = conv(ndim, width, plan.out_channels, 1)
        self.bn3 = norm(ndim, width if config.preactivation else plan.out_channels)
        if config.preactivation:
            self.relu3 = relu()

    def branch(self, x_bc: torch.Tensor) -> torch.Tensor:
        """Reduce, convolve in groups, restore."""
        if self.preactivation:
            x_bc = self.relu2(self.bn2(self.conv1(x_bc)))
            x_bc = self.relu3(self.bn3(self.conv2(x_bc)))
            y_bc: torch.Tensor = self.conv3(x_bc)
        else:
            x_bc = self.relu1(self.bn1(self.conv1(x_bc)))
            x_bc = self.relu2(self.bn2(self.conv2(x_bc)))
            y_bc = self.bn3(self.conv3(x_bc))
        return y_bc

    @property
    def last_layers(self) -> list[nn.Module]:
        """The last BN or, in pre-activation blocks, the last convolution."""
        return [self.conv3 if self.preactivation else self.bn3]
