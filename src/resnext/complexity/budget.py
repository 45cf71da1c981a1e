"""A budget of parameters, multiply-adds or activations, for a block or a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

from resnext.complexity.count import count
from resnext.complexity.flow import record
from resnext.complexity.residual import run_block
from resnext.complexity.shape import Shape
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.plan import plan_network

By = Literal["params", "macs", "activations"]
Scope = Literal["block", "network"]
InputSize = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Budget:
    """A cost to meet.

    Attributes:
        by: The kind of cost.
        target: The amount.
        scope: One block of the first stage, as in the paper's table 2, or the whole network.
        input_size: Side of the network's input in pixels, or its sides; None takes its default.
    """

    by: By
    target: int
    scope: Scope = "network"
    input_size: InputSize = None

    @classmethod
    def like(
        cls,
        config: ResNeXtConfig,
        by: By = "params",
        scope: Scope = "network",
        input_size: InputSize = None,
        factor: float = 1.0,
    ) -> Self:
        """Return a network's cost as a budget, times a factor."""
        spent = cls(by, 0, scope, input_size).cost_of(config)
        return cls(by, round(factor * spent), scope, input_size)

    def cost_of(self, config: ResNeXtConfig) -> int:
        """Count the cost of a network."""
        if self.scope == "block":
            return _block_cost(config, self.by)
        cost = count(config, self.input_size)
        return {
            "params": cost.parameters,
            "macs": cost.macs,
            "activations": cost.activations,
        }[self.by]


def _block_cost(config: ResNeXtConfig, by: By) -> int:
    """Count the convolutions of a first-stage block with an identity shortcut.

    Multiply-adds and activations are per position of the map, so that they do not depend on its
    size. BN is left out, as in the paper's C (256 d + 3 3 d d + d 256).

    Source: arXiv 1611.05431, section 3.3 and equation 4.
    """
    if config.block == "basic":
        raise ConfigError(
            "a basic block has one path and no template of cardinality and width; take "
            "block='bottleneck', or count the whole network"
        )
    if config.form != "c":
        config = config.replace(form="c")  # the template's cost; its other forms spend as much
    plan = plan_network(config).stages[0][0]
    plan = replace(plan, in_channels=plan.out_channels, stride=1, shortcut="identity")
    position = Shape(plan.out_channels, (1,) * config.ndim)
    _, recorded = record(lambda flow: run_block(flow, "", flow.image, plan, config), position)
    layers = [layer for layer in recorded.layers if layer.kind != "norm"]
    attribute = "parameters" if by == "params" else by
    return sum(getattr(layer, attribute) for layer in layers)
