"""All designs within a tolerance of a budget, and their Pareto front.

A cost is affine in the blocks of the growing stages and in the cardinality C, and quadratic in the
bottleneck width d: the grouped convolution contributes the quadratic term, the 1x1 convolutions and
BN the linear term. Twelve counts therefore determine the costs of all designs exactly, by
interpolation.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import count as count_up
from itertools import islice

from resnext.complexity.budget import Budget
from resnext.complexity.family import depth_family
from resnext.complexity.solve import Solution
from resnext.errors import ConfigError
from resnext.model.choices import TWO_LAYER_REASON
from resnext.model.config import ResNeXtConfig

_LARGEST = 1 << 20
_MAX_DESIGNS = 1000  # more than a person reads; each takes a millisecond to write out

Point = tuple[int, int, int]
"""Blocks of the growing stages, cardinality, bottleneck width."""


def designs_within(
    base: ResNeXtConfig,
    budget: Budget,
    tolerance: float,
    *,
    max_cardinality: int = _LARGEST,
    vary_depth: bool = False,
) -> list[Solution]:
    """List all designs whose cost is within a relative tolerance of the budget.

    Args:
        base: Provides all settings that are not varied.
        budget: The cost.
        tolerance: Largest relative deviation: 0.02 is 2 %.
        max_cardinality: Largest C to consider.
        vary_depth: Vary the depth as well as cardinality and width, as `solve_depth` does.

    Returns:
        The designs by increasing depth, cardinality and width.

    Raises:
        ConfigError: The tolerance is invalid, the block has no paths, or there are too many designs
            to list.
    """
    if not 0 <= tolerance < 1:
        raise ConfigError(f"tolerance={tolerance}: give a share from 0 to below 1, such as 0.02")
    if base.block == "basic":
        raise ConfigError(TWO_LAYER_REASON)
    if vary_depth and budget.scope == "block":
        raise ConfigError("depth does not change the cost of a block; count the whole network")
    surface = CostSurface(base, budget)
    found = _points(surface, tolerance, max_cardinality, vary_depth=vary_depth)
    points = list(islice(found, _MAX_DESIGNS + 1))
    if len(points) > _MAX_DESIGNS:
        raise ConfigError(
            f"tolerance={tolerance}: more than {_MAX_DESIGNS:,} designs are within it; give a "
            "smaller tolerance"
        )
    return [Solution(surface.design(p), surface.cost(p), budget.target) for p in points]


def undercut_by_none(costs: Sequence[Sequence[int]]) -> list[bool]:
    """Return which designs are on the Pareto front of several costs.

    Args:
        costs: One row per design, one column per kind of cost.

    Returns:
        For each design, whether no other design costs at most as much in all kinds and less in one.
    """
    distinct = {tuple(row) for row in costs}
    beaten = {
        row
        for row in distinct
        for other in distinct
        if other != row and all(a <= b for a, b in zip(other, row, strict=True))
    }
    return [tuple(row) not in beaten for row in costs]


class CostSurface:
    """The cost of every depth, cardinality and width of a network, from twelve counts.

    Attributes:
        base: Provides all other settings.
        budget: Defines what is counted.
    """

    def __init__(self, base: ResNeXtConfig, budget: Budget) -> None:
        self.base = base
        self.budget = budget
        self._deepen = depth_family(base)
        self._counted = {
            (blocks, cardinality, width): budget.cost_of(self.design((blocks, cardinality, width)))
            for blocks in (1, 2)
            for cardinality in (1, 2)
            for width in (1, 2, 3)
        }

    def design(self, point: Point) -> ResNeXtConfig:
        """Return the network at a point."""
        blocks, cardinality, width = point
        stages = self._deepen(blocks).blocks_per_stage
        return self.base.replace(
            blocks_per_stage=stages, cardinality=cardinality, bottleneck_width=width
        )

    def cost(self, point: Point) -> int:
        """Return the cost at a point."""
        return self.by_width(*point[:2])(point[2])

    def by_width(self, blocks: int, cardinality: int) -> Callable[[int], int]:
        """Return the cost as a function of the width, interpolated through three values."""
        one, two, three = (self._at_width(blocks, cardinality, d) for d in (1, 2, 3))
        slope, twice_square = two - one, three - 2 * two + one
        return lambda d: one + (d - 1) * slope + (d - 1) * (d - 2) // 2 * twice_square

    def _at_width(self, blocks: int, cardinality: int, width: int) -> int:
        short, deep = (
            _line(self._counted[n, 1, width], self._counted[n, 2, width], cardinality)
            for n in (1, 2)
        )
        return _line(short, deep, blocks)


def _line(at_one: int, at_two: int, number: int) -> int:
    return at_one + (number - 1) * (at_two - at_one)


def _points(
    surface: CostSurface, tolerance: float, max_cardinality: int, *, vary_depth: bool
) -> Iterator[Point]:
    """Iterate over depths and cardinalities until the narrowest design costs too much."""
    target = surface.budget.target
    low, high = math.ceil((1 - tolerance) * target), math.floor((1 + tolerance) * target)
    widest = _LARGEST
    for blocks in count_up(1) if vary_depth else (max(surface.base.blocks_per_stage),):
        if surface.cost((blocks, 1, 1)) > high:
            return
        for cardinality in range(1, max_cardinality + 1):
            cost = surface.by_width(blocks, cardinality)
            if cost(1) > high:
                break
            widths = range(1, widest + 1)
            first, end = bisect_left(widths, low, key=cost), bisect_right(widths, high, key=cost)
            yield from ((blocks, cardinality, width) for width in widths[first:end])
            if cardinality == 1:
                widest = end  # more paths or more depth leave less for each
