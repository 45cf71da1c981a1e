"""The shape of a map, and what a window that slides over it leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass

Sides = tuple[int, ...]
"""A number for each spatial dimension, such as height and width, in pixels."""


@dataclass(frozen=True)
class Shape:
    """The shape of a map: channels and 1 to 3 sides; a vector has none."""

    channels: int
    sides: Sides

    @property
    def num_elements(self) -> int:
        """Numbers in the map."""
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
    """Return the map behind a convolution or a pool.

    Args:
        shape: The map in front of it.
        channels: Channels of the output.
        kernel: Sides of the window in pixels; one number means the same along all dimensions.
        stride: Step in pixels.
        padded: Each side is padded by half the kernel, or not at all.
        ceil: A last window may be cut short by the border.
    """
    rest = stride - 1 if ceil else 0
    sides = tuple(
        (side + (2 * (extent // 2) if padded else 0) - extent + rest) // stride + 1
        for side, extent in zip(shape.sides, kernel_sides(kernel, shape), strict=True)
    )
    return Shape(channels, sides)


def kernel_sides(kernel: int | Sides, shape: Shape) -> Sides:
    """Write the sides of a kernel out for a map's dimensions."""
    return (kernel,) * len(shape.sides) if isinstance(kernel, int) else kernel
