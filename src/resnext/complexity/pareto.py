"""All designs within a tolerance of a budget, over cardinality and width.

With everything else fixed, every cost is a + C (b d + c d d) exactly: the grouped convolution
gives the square, the 1x1 convolutions and BN the linear term. Three counts give a, b and c.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnext.complexity.budget import Budget
from resnext.complexity.solve import Solution
from resnext.errors import ConfigError
from resnext.model.config import TWO_LAYER_REASON, ResNeXtConfig


def designs_within(
    base: ResNeXtConfig, budget: Budget, tolerance: float, *, max_cardinality: int = 64
) -> list[Solution]:
    """List all designs whose cost differs by no more than a share of the budget.

    Args:
        base: Gives everything but cardinality and width.
        budget: The cost.
        tolerance: Largest deviation, as a share: 0.02 is 2 %.
        max_cardinality: Largest C to consider.

    Returns:
        The designs by rising cardinality and width.

    Raises:
        ConfigError: The tolerance is negative, or the block has no paths.
    """
    if tolerance < 0:
        raise ConfigError(f"tolerance={tolerance}: give a share of at least 0, such as 0.02")
    if base.block == "basic":
        raise ConfigError(TWO_LAYER_REASON)
    low = math.ceil(budget.target * (1 - tolerance))
    high = math.floor(budget.target * (1 + tolerance))
    found = []
    for cardinality, width in _lattice_points(base, budget, (low, high), max_cardinality):
        config = base.replace(cardinality=cardinality, bottleneck_width=width)
        cost = budget.cost_of(config)
        assert low <= cost <= high
        found.append(Solution(config, cost, budget.target))
    return found


def _lattice_points(
    base: ResNeXtConfig, budget: Budget, limits: tuple[int, int], max_cardinality: int
) -> Iterator[tuple[int, int]]:
    def cost(cardinality: int, width: int) -> int:
        design = base.replace(cardinality=cardinality, bottleneck_width=width)
        return budget.cost_of(design)

    one, two, doubled = cost(1, 1), cost(1, 2), cost(2, 1)
    linear_and_square = doubled - one  # b + c
    constant = one - linear_and_square
    square = (two - constant - 2 * linear_and_square) // 2  # of a + 2 b + 4 c
    linear = linear_and_square - square
    for cardinality in range(1, max_cardinality + 1):
        width = 1
        while True:
            total = constant + cardinality * (linear * width + square * width * width)
            if total > limits[1]:
                break
            if total >= limits[0]:
                yield cardinality, width
            width += 1
