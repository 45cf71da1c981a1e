"""The solver's results as rows: a design, its cost, and the paper's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resnext.complexity.budget import Budget, InputSize
from resnext.complexity.count import count
from resnext.complexity.solve import Solution
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of
from resnext.model.template import template_stage_widths


@dataclass(frozen=True)
class DesignRow:
    """A design with its cost and the paper's design.

    Attributes:
        name: Name of the network; with `has_own_widths` the name alone is a different network.
        cardinality: C, the paths of a block.
        bottleneck_width: d, the width of a path in the first stage.
        group_width: C d.
        depth: Layers with weights.
        stem_width: Channels of the stem.
        stage_widths: Channels of each stage.
        has_own_widths: Whether stem or stages differ from the template.
        cost: Its cost: parameters, multiply-adds, activations, or milliseconds.
        deviation: Relative deviation from the target; negative if below.
        parameters: Parameters of the whole network.
        macs: Multiply-adds for one image.
        activations: Outputs of convolutions and linear layers for one image.
        paper: The paper's design in tables 2 to 4, if there is one: `name`, `is_same`, `shown`,
            `cost` and `deviation`.
        target: The target cost.
        config: The network.
    """

    name: str
    cardinality: int
    bottleneck_width: int
    group_width: int
    depth: int
    stem_width: int
    stage_widths: tuple[int, ...]
    has_own_widths: bool
    cost: float
    deviation: float
    parameters: int
    macs: int
    activations: int
    paper: dict[str, Any] | None
    target: float
    config: ResNeXtConfig

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON values, as printed by `--json`."""
        left_out = ("target", "config")
        row = {name: value for name, value in vars(self).items() if name not in left_out}
        return row | {"stage_widths": list(self.stage_widths)}


def counted_row(solution: Solution, budget: Budget, paper: ResNeXtConfig | None) -> DesignRow:
    """Describe a design of a counted cost, with the paper's design.

    Args:
        solution: The design.
        budget: The target cost of both.
        paper: The paper's design, or None.
    """
    chosen = None if paper is None else _chosen(paper, solution.config, budget)
    return row_of(solution.config, solution.cost, solution.target, budget.input_size, chosen)


def row_of(
    config: ResNeXtConfig,
    cost: float,
    target: float,
    input_size: InputSize,
    paper: dict[str, Any] | None = None,
) -> DesignRow:
    """Describe a design.

    Args:
        config: The design.
        cost: Its cost.
        target: The target cost.
        input_size: Side of the input, in pixels.
        paper: See `DesignRow`.
    """
    counted = count(config, input_size)
    widths = template_stage_widths(config.block, len(config.stage_widths))
    return DesignRow(
        name=name_of(config),
        cardinality=config.cardinality,
        bottleneck_width=config.bottleneck_width,
        group_width=config.cardinality * config.bottleneck_width,
        depth=config.depth,
        stem_width=config.stem_width,
        stage_widths=config.stage_widths,
        has_own_widths=config.stage_widths != widths,
        cost=cost,
        deviation=cost / target - 1.0,
        parameters=counted.parameters,
        macs=counted.macs,
        activations=counted.activations,
        paper=paper,
        target=target,
        config=config,
    )


def _chosen(paper: ResNeXtConfig, found: ResNeXtConfig, budget: Budget) -> dict[str, Any]:
    """Return the paper's design and its deviation; only its template if the depth is the same."""
    is_as_deep = paper.blocks_per_stage == found.blocks_per_stage
    cost = budget.cost_of(paper)
    return {
        "name": name_of(paper),
        "is_same": paper == found,
        "shown": paper.template if is_as_deep else name_of(paper),
        "cost": cost,
        "deviation": cost / budget.target - 1,
    }
