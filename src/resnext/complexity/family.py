"""Families of designs that vary one integer: width, cardinality, depth or multiplier.

Every cost is non-decreasing along a family; it is constant where rounding gives the same design.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from resnext.errors import ConfigError
from resnext.model.choices import TWO_LAYER_REASON
from resnext.model.config import ResNeXtConfig

Family = Callable[[int], ResNeXtConfig]

MULTIPLIER_STEPS = 100  # the multiplier is a whole number of hundredths


def width_family(base: ResNeXtConfig, cardinality: int) -> Family:
    """Return the designs of one cardinality, by bottleneck width d.

    Raises:
        ConfigError: The block does not support the cardinality.
    """
    _check_paths(base, cardinality)
    return lambda d: base.replace(cardinality=cardinality, bottleneck_width=d)


def cardinality_family(base: ResNeXtConfig, bottleneck_width: int) -> Family:
    """Return the designs of one bottleneck width, by cardinality C.

    Raises:
        ConfigError: The block has no paths to choose.
    """
    _check_paths(base, 2)
    return lambda c: base.replace(cardinality=c, bottleneck_width=bottleneck_width)


def depth_family(base: ResNeXtConfig, *, block_by_block: bool = False) -> Family:
    """Return the designs of all depths.

    Stages of equal length stay equal, as in the CIFAR networks of 9n + 2 layers; otherwise the
    longest stage grows, as from 50 to 101 layers.

    Args:
        base: Provides all other settings.
        block_by_block: Vary the total number of blocks: stages of equal length may then differ by
            one block, with longer middle stages.
    """
    stages = _spread_blocks if block_by_block else _stages
    return lambda n: base.replace(blocks_per_stage=stages(base, n))


def multiplier_family(base: ResNeXtConfig, *, multiple_of: int = 1) -> Family:
    """Return the designs whose widths are multiples, in hundredths, of the base's.

    Args:
        base: The network at 100 hundredths.
        multiple_of: Round the channels of stem, stages and all paths together (C·d) to multiples of
            this.
    """

    def scale(width: int, step: int, hundredths: int) -> int:
        return max(1, round(width * hundredths / (MULTIPLIER_STEPS * step))) * step

    path_step = multiple_of // math.gcd(multiple_of, base.cardinality)
    return lambda n: base.replace(
        stem_width=scale(base.stem_width, multiple_of, n),
        stage_widths=tuple(scale(width, multiple_of, n) for width in base.stage_widths),
        bottleneck_width=scale(base.bottleneck_width, path_step, n),
    )


def _stages(base: ResNeXtConfig, num_blocks: int) -> tuple[int, ...]:
    stages = base.blocks_per_stage
    if len(set(stages)) == 1:
        return (num_blocks,) * len(stages)
    longest = stages.index(max(stages))
    return (*stages[:longest], num_blocks, *stages[longest + 1 :])


def _spread_blocks(base: ResNeXtConfig, num_blocks: int) -> tuple[int, ...]:
    """Distribute the blocks beyond one per stage, middle stages first."""
    num_stages = len(base.blocks_per_stage)
    each, rest = divmod(num_blocks - 1, num_stages)
    from_middle = sorted(range(num_stages), key=lambda stage: abs(stage - (num_stages - 1) / 2))
    longer = set(from_middle[:rest])
    return tuple(1 + each + (stage in longer) for stage in range(num_stages))


def _check_paths(base: ResNeXtConfig, cardinality: int) -> None:
    if base.block == "basic" and cardinality > 1:
        raise ConfigError(f"cardinality={cardinality}: {TWO_LAYER_REASON}")
