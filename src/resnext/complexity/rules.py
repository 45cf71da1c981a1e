"""The cost of one layer on one image, by formula: shapes, parameters, multiply-adds.

Multiply-adds are those of convolutions and linear layers, which the paper calls FLOPs; a bias
is one for each number it is added to. BN, ReLU, pooling and additions are not counted.
torch's FlopCounterMode counts two FLOPs for each multiply-add and leaves biases out, so it
reports twice our figure less the classifier's bias: one for each class.

Source: arXiv 1611.05431, section 3.1 and table 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The shape of a map: channels and 1 to 3 sides."""

    channels: int
    sides: tuple[int, ...]

    @property
    def num_elements(self) -> int:
        """Numbers in the map."""
        return self.channels * math.prod(self.sides)


def window_shape(shape: Shape, channels: int, kernel: int, stride: int) -> Shape:
    """Return the map behind a convolution or pool that is padded by half its kernel."""
    sides = tuple((side + 2 * (kernel // 2) - kernel) // stride + 1 for side in shape.sides)
    return Shape(channels, sides)


def conv_parameters(
    in_channels: int, out_channels: int, *, kernel: int, ndim: int, groups: int
) -> int:
    """Count the weights of a convolution without bias: each group sees its own channels."""
    kernel_size: int = kernel**ndim
    return out_channels * (in_channels // groups) * kernel_size


def conv_macs(in_channels: int, output: Shape, *, kernel: int, groups: int) -> int:
    """Count the multiply-adds: every output number is a sum over kernel and group."""
    kernel_size: int = kernel ** len(output.sides)
    return output.num_elements * (in_channels // groups) * kernel_size


def norm_parameters(channels: int) -> int:
    """Count BN's weight and bias."""
    return 2 * channels


def linear_parameters(in_features: int, out_features: int) -> int:
    """Count a linear layer's weights and bias."""
    return (in_features + 1) * out_features


def linear_macs(in_features: int, out_features: int) -> int:
    """Count a linear layer's multiply-adds, with those of the bias."""
    return (in_features + 1) * out_features
