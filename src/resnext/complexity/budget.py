"""A budget: so many parameters, multiply-adds or activations, over a block or a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from resnext.complexity.count import count
from resnext.complexity.rules import conv_parameters
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig

By = Literal["params", "macs", "activations"]
Scope = Literal["block", "network"]


@dataclass(frozen=True)
class Budget:
    """A cost to meet.

    Attributes:
        by: What is counted.
        target: How much of it.
        scope: Over the template of a block of the first stage, as the paper's table 2, or over
            the whole network.
        input_size: Side of the network's input in pixels; None takes the one it is made for.
    """

    by: By
    target: int
    scope: Scope = "network"
    input_size: int | None = None

    @classmethod
    def like(
        cls,
        config: ResNeXtConfig,
        by: By = "params",
        scope: Scope = "network",
        input_size: int | None = None,
        factor: float = 1.0,
    ) -> Self:
        """Return the budget that a network spends, times a factor."""
        spent = cls(by, 0, scope, input_size).cost_of(config)
        return cls(by, round(factor * spent), scope, input_size)

    def cost_of(self, config: ResNeXtConfig) -> int:
        """Count what a network spends."""
        if self.scope == "block":
            return _block_cost(config, self.by)
        cost = count(config, self.input_size)
        return {
            "params": cost.parameters,
            "macs": cost.macs,
            "activations": cost.activations,
        }[self.by]


def _block_cost(config: ResNeXtConfig, by: By) -> int:
    """Count the convolutions of a block of the first stage whose shortcut is the identity.

    Multiply-adds and activations are those of one position of the map, so that a block has a
    cost of its own. BN is left out, as in the paper's C (256 d + 3 3 d d + d 256).

    Source: arXiv 1611.05431, section 3.3 and equation 4.
    """
    if config.block == "basic":
        raise ConfigError(
            "a basic block has one path and no template of cardinality and width; take "
            "block='bottleneck', or count the whole network"
        )
    inner = config.cardinality * config.bottleneck_width
    outer = config.stage_widths[0]
    if by == "activations":
        return 2 * inner + outer
    groups = config.cardinality
    narrowed = conv_parameters(outer, inner, kernel=1, ndim=config.ndim, groups=1)
    grouped = conv_parameters(inner, inner, kernel=3, ndim=config.ndim, groups=groups)
    return 2 * narrowed + grouped
