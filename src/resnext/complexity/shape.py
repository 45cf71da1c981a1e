"""The shape of a feature map, and the output shape of a sliding window."""

from __future__ import annotations

import math
from dataclasses import dataclass

Sides = tuple[int, ...]
"""One number per spatial dimension, such as height and width, in pixels."""


@dataclass(frozen=True)
class Shape:
    """The shape of a feature map: channels and 1 to 3 sides; a vector has no sides."""

    channels: int
    sides: Sides

    @property
    def num_elements(self) -> int:
        """Number of elements of the map."""
        return self.channels * math.prod(self.sides)


def window_shape(
    shape: Shape,
    channels: int,
    kernel: int | Sides,
    stride: int,
    *,
    padded: bool = True,
    ceil: bool = False,
) -> Shape:
    """Return the output shape of a convolution or a pool.

    Args:
        shape: Input shape.
        channels: Channels of the output.
        kernel: Sides of the window in pixels; one number means the same along all dimensions.
        stride: Step in pixels.
        padded: Pad each side by half the kernel; otherwise no padding.
        ceil: Allow a partial last window at the border.
    """
    rest = stride - 1 if ceil else 0
    sides = tuple(
        (side + (2 * (extent // 2) if padded else 0) - extent + rest) // stride + 1
        for side, extent in zip(shape.sides, kernel_sides(kernel, shape), strict=True)
    )
    return Shape(channels, sides)


def kernel_sides(kernel: int | Sides, shape: Shape) -> Sides:
    """Return the sides of a kernel for each dimension of a map."""
    return (kernel,) * len(shape.sides) if isinstance(kernel, int) else kernel
