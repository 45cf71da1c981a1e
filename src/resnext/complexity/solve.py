"""Find the design closest to a budget: exact integer search over one dimension.

Every cost grows with width, cardinality, depth and the multiplier, so bisection finds the two
designs around the budget, and the closer one is taken; on a tie, the cheaper one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from resnext.complexity.budget import Budget
from resnext.complexity.family import (
    Family,
    cardinality_family,
    depth_family,
    multiplier_family,
    width_family,
)
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Solution:
    """A design and how close it is to the budget.

    Attributes:
        config: The network.
        cost: Its cost.
        target: The target cost.
    """

    config: ResNeXtConfig
    cost: int
    target: int

    @property
    def deviation(self) -> float:
        """Relative deviation of the cost from the target; negative if below."""
        return self.cost / self.target - 1.0


def solve_width(base: ResNeXtConfig, cardinality: int, budget: Budget) -> Solution:
    """Find the bottleneck width d at a cardinality.

    Args:
        base: Provides all other settings.
        cardinality: C, the paths of a block.
        budget: The cost to meet.

    Raises:
        ConfigError: The block does not support the cardinality.
    """
    return closest(width_family(base, cardinality), budget)


def solve_cardinality(base: ResNeXtConfig, bottleneck_width: int, budget: Budget) -> Solution:
    """Find the cardinality C at a bottleneck width.

    Raises:
        ConfigError: The block has no paths to choose.
    """
    return closest(cardinality_family(base, bottleneck_width), budget)


def solve_depth(base: ResNeXtConfig, budget: Budget, *, block_by_block: bool = False) -> Solution:
    """Find the depth: of all stages if they are equally long, otherwise of the longest one.

    Args:
        base: Provides all other settings.
        budget: The cost to meet.
        block_by_block: Allow stages of equal length to differ by one block, with longer middle
            stages, for a closer match.

    Raises:
        ConfigError: The budget is for one block, whose cost does not depend on depth.
    """
    if budget.scope == "block":
        raise ConfigError("depth does not change the cost of a block; count the whole network")
    return closest(depth_family(base, block_by_block=block_by_block), budget)


def solve_multiplier(base: ResNeXtConfig, budget: Budget, *, multiple_of: int = 1) -> Solution:
    """Find the multiplier, to a hundredth, for all widths: stem, stages and paths.

    Args:
        base: The network at factor 1.
        budget: The cost to meet.
        multiple_of: Channels of stem, stages and all paths together are multiples of this.
    """
    return closest(multiplier_family(base, multiple_of=multiple_of), budget)


def equal_cost_family(
    base: ResNeXtConfig, cardinalities: Sequence[int], budget: Budget
) -> list[Solution]:
    """Find the width of each cardinality: the paper's table 2 for any network and budget."""
    return [solve_width(base, cardinality, budget) for cardinality in cardinalities]


def closest_number(family: Family, budget: Budget) -> int:
    """Return the integer whose design is closest to the budget, by bisection."""

    @cache
    def cost(number: int) -> int:
        return budget.cost_of(family(number))

    high = 1
    while cost(high) < budget.target and high < _LARGEST:
        high *= 2
    low = max(1, high // 2)  # cost(low) < target <= cost(high), but for the first and last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) < budget.target else (low, middle)
    return min((low, high), key=lambda number: abs(cost(number) - budget.target))


def closest(family: Family, budget: Budget) -> Solution:
    """Find the design of a family closest to the budget; on a tie, the cheaper one."""
    config = family(closest_number(family, budget))
    return Solution(config, budget.cost_of(config), budget.target)
