"""The design that comes closest to a budget: exact integer search over one of its dimensions.

Every cost grows with width, cardinality, depth and the multiplier, so the two designs next to the
budget are found by bisection, and the nearer one is taken; of two as near, the cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resnext.complexity.budget import Budget
from resnext.errors import ConfigError
from resnext.model.config import TWO_LAYER_REASON, ResNeXtConfig

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Solution:
    """A design and how close it comes.

    Attributes:
        config: The network.
        cost: What it spends.
        target: What it was to spend.
    """

    config: ResNeXtConfig
    cost: int
    target: int

    @property
    def deviation(self) -> float:
        """Share by which the cost is above the target; negative below."""
        return self.cost / self.target - 1.0


def solve_width(base: ResNeXtConfig, cardinality: int, budget: Budget) -> Solution:
    """Find the bottleneck width d at a cardinality.

    Args:
        base: Gives everything else.
        cardinality: C, the paths of a block.
        budget: The cost to meet.

    Raises:
        ConfigError: The cardinality does not suit the block.
    """
    _check_paths(base, cardinality)
    return _closest(lambda d: base.replace(cardinality=cardinality, bottleneck_width=d), budget)


def solve_cardinality(base: ResNeXtConfig, bottleneck_width: int, budget: Budget) -> Solution:
    """Find the cardinality C at a bottleneck width.

    Raises:
        ConfigError: The block has no paths to choose.
    """
    _check_paths(base, 2)
    return _closest(
        lambda c: base.replace(cardinality=c, bottleneck_width=bottleneck_width), budget
    )


def solve_depth(base: ResNeXtConfig, budget: Budget, *, block_by_block: bool = False) -> Solution:
    """Find the depth.

    Stages of equal length keep it equal, as the CIFAR networks of 9n + 2 layers do; else the
    longest stage grows, as from 50 to 101 layers.

    Args:
        base: Gives everything else.
        budget: The cost to meet.
        block_by_block: Come closer with stages of equal length: they may differ by a block,
            those in the middle being the longer ones.

    Raises:
        ConfigError: The budget is that of one block, which depth does not change.
    """
    if budget.scope == "block":
        raise ConfigError("depth does not change the cost of a block; count the whole network")
    stages = _spread_blocks if block_by_block else _stages
    return _closest(lambda n: base.replace(blocks_per_stage=stages(base, n)), budget)


def solve_multiplier(base: ResNeXtConfig, budget: Budget, *, multiple_of: int = 1) -> Solution:
    """Find the factor that multiplies all widths: of the stem, the stages and the paths.

    Args:
        base: The network at factor 1.
        budget: The cost to meet.
        multiple_of: Stem and stage widths are rounded to multiples of this.
    """
    return _closest(lambda n: _scaled(base, n / _MULTIPLIER_STEPS, multiple_of), budget)


def equal_cost_family(
    base: ResNeXtConfig, cardinalities: Sequence[int], budget: Budget
) -> list[Solution]:
    """Find the width of each cardinality: the paper's table 2 for any network and budget."""
    return [solve_width(base, cardinality, budget) for cardinality in cardinalities]


_MULTIPLIER_STEPS = 100  # the factor is found to a hundredth


def _scaled(base: ResNeXtConfig, factor: float, multiple_of: int) -> ResNeXtConfig:
    def whole(width: int) -> int:
        return max(1, round(width * factor / multiple_of)) * multiple_of

    return base.replace(
        stem_width=whole(base.stem_width),
        stage_widths=tuple(whole(width) for width in base.stage_widths),
        bottleneck_width=max(1, round(base.bottleneck_width * factor)),
    )


def _stages(base: ResNeXtConfig, num_blocks: int) -> tuple[int, ...]:
    stages = base.blocks_per_stage
    if len(set(stages)) == 1:
        return (num_blocks,) * len(stages)
    longest = stages.index(max(stages))
    return (*stages[:longest], num_blocks, *stages[longest + 1 :])


def _spread_blocks(base: ResNeXtConfig, num_blocks: int) -> tuple[int, ...]:
    """Spread the blocks that come on top of one a stage, the middle stages first."""
    num_stages = len(base.blocks_per_stage)
    each, rest = divmod(num_blocks - 1, num_stages)
    from_middle = sorted(range(num_stages), key=lambda stage: abs(stage - (num_stages - 1) / 2))
    longer = set(from_middle[:rest])
    return tuple(1 + each + (stage in longer) for stage in range(num_stages))


def _check_paths(base: ResNeXtConfig, cardinality: int) -> None:
    if base.block == "basic" and cardinality > 1:
        raise ConfigError(f"cardinality={cardinality}: {TWO_LAYER_REASON}")


def _closest(design: Callable[[int], ResNeXtConfig], budget: Budget) -> Solution:
    """Bisect for the two numbers next to the budget, and take the nearer."""

    def cost(number: int) -> int:
        return budget.cost_of(design(number))

    high = 1
    while cost(high) < budget.target and high < _LARGEST:
        high *= 2
    low = max(1, high // 2)  # cost(low) < target <= cost(high), but for the first and last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) < budget.target else (low, middle)
    best = min((low, high), key=lambda number: abs(cost(number) - budget.target))
    config = design(best)
    return Solution(config, budget.cost_of(config), budget.target)
