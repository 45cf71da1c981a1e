"""Requests to the solver: the flags of `resnext design`, and the search."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from resnext.api.checks import check_ranges, refuse_ignored
from resnext.api.design_rows import DesignRow, counted_row
from resnext.complexity.budget import Budget
from resnext.complexity.count import default_side
from resnext.complexity.family import (
    Family,
    cardinality_family,
    depth_family,
    multiplier_family,
    width_family,
)
from resnext.complexity.solve import Solution, closest
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from

# An exact cost has at most 15 digits in JSON numbers, and no design of that size can be built
_MAX_TARGET = 10**15

# Flags whose values are whole numbers from 1 on
_WHOLE = ("cardinality", "width", "multiple_of", "input", "batch_size", "threads", "repeats")


@dataclass(frozen=True)
class DesignRequest:
    """A requested search for designs.

    Attributes:
        like: The network whose cost is to be met.
        base: The network to vary, if it is another one.
        cardinality: Cardinalities: find the bottleneck width of each.
        width: Bottleneck widths: find the cardinality of each.
        depth: Find the depth; with `pareto`, vary it too.
        multiplier: Find the factor of all widths.
        multiple_of: Round the widths of `multiplier` to multiples of this.
        by: Cost to match: counted, or latency on this machine.
        scope: Over one block of the first stage, or the whole network.
        factor: Multiple of the cost to match.
        input: Side of the input, in pixels.
        num_classes: Number of classes.
        pareto: List all cardinalities and widths within `tolerance` of the cost.
        tolerance: Largest deviation that `pareto` lists, as a share.
        runtime: Runtime for latency.
        batch_size: Batch size for latency.
        threads: CPU threads for latency.
        repeats: Measured rounds for latency.
        device: Device for latency.
        precision: Precision for latency.
        no_cache: Ignore cached latencies and measure again.
    """

    like: str = "resnet50"
    base: str | None = None
    cardinality: tuple[int, ...] = ()
    width: tuple[int, ...] = ()
    depth: bool = False
    multiplier: bool = False
    multiple_of: int | None = None
    by: Literal["params", "macs", "activations", "latency"] = "params"
    scope: Literal["block", "network"] = "network"
    factor: float = 1.0
    input: int | None = None
    num_classes: int | None = None
    pareto: bool = False
    tolerance: float | None = None
    runtime: Literal["eager", "compiled", "onnxruntime"] | None = None
    batch_size: int | None = None
    threads: int | None = None
    repeats: int | None = None
    device: str | None = None
    precision: Literal["fp32", "bf16", "fp16"] | None = None
    no_cache: bool = False


def check_design(request: DesignRequest) -> None:
    """Check for unclear, invalid or ignored options.

    Raises:
        ConfigError: An option is unclear, invalid or ignored.
    """
    asked = {
        "--cardinality": bool(request.cardinality),
        "--width": bool(request.width),
        "--depth": request.depth and not request.pareto,
        "--multiplier": request.multiplier,
        "--pareto": request.pareto,
    }
    if sum(asked.values()) != 1:
        given = " and ".join(flag for flag, is_given in asked.items() if is_given) or "none"
        raise ConfigError(f"give one of {', '.join(asked)}, got {given}")
    check_ranges(request, dict.fromkeys(_WHOLE, (1, None)))
    if not 0 < request.factor < inf:
        raise ConfigError(f"--factor {request.factor}: give a number above 0")
    if request.repeats == 1:
        raise ConfigError("--repeats 1: one measurement has no spread; give at least 2")
    _refuse_ignored(request)


def _refuse_ignored(request: DesignRequest) -> None:
    """Refuse flags without the flag that they need."""
    if not request.multiplier:
        refuse_ignored(request, ("multiple_of",), "--multiplier")
    if not request.pareto:
        refuse_ignored(request, ("tolerance",), "--pareto")
    if request.by == "latency":
        refuse_ignored(request, ("pareto", "scope"), "a counted cost")
    else:
        measuring = (
            *("runtime", "batch_size", "threads", "repeats", "no_cache"),
            *("device", "precision"),
        )
        refuse_ignored(request, measuring, "--by latency")


def _check_target(budget: Budget, request: DesignRequest) -> None:
    if not 1 <= budget.target <= _MAX_TARGET:
        raise ConfigError(
            f"--factor {request.factor:g}: the target cost would be {budget.target:.3g}; give a "
            f"factor for which it is 1 to {_MAX_TARGET:.0e}"
        )


def network_of(name: str, request: DesignRequest) -> ResNeXtConfig:
    """Return a network by name, with the requested classes.

    Raises:
        ConfigError: It has nothing to solve.
    """
    changes = {} if request.num_classes is None else {"num_classes": request.num_classes}
    config = config_from(name, **changes)
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(f"{name!r} has no cardinality or width to solve; use a ResNet or ResNeXt")
    return config


def families_of(base: ResNeXtConfig, request: DesignRequest) -> list[Family]:
    """Return the families to search, one per row of the result."""
    if request.cardinality:
        return [width_family(base, cardinality) for cardinality in request.cardinality]
    if request.width:
        return [cardinality_family(base, width) for width in request.width]
    if request.depth:
        return [depth_family(base)]
    return [multiplier_family(base, multiple_of=request.multiple_of or 1)]


def budget_of(request: DesignRequest) -> Budget:
    """Return the counted target cost.

    Raises:
        ConfigError: The factor is too small or too large.
    """
    assert request.by != "latency"
    like = network_of(request.like, request)
    budget = Budget.like(like, request.by, request.scope, side_of(request), request.factor)
    _check_target(budget, request)
    return budget


def side_of(request: DesignRequest) -> int:
    """Return the side of the input in pixels: that of `like`, even if the base has another stem."""
    return request.input or default_side(network_of(request.like, request))


def solve_designs(request: DesignRequest, budget: Budget) -> list[DesignRow]:
    """Find the designs closest to a counted cost, or all within a tolerance.

    Raises:
        ConfigError: The networks do not support what is to be solved.
    """
    like = network_of(request.like, request)
    base = network_of(request.base or request.like, request)
    solutions = _solve(base, budget, request)
    papers = _papers(solutions, like, request)
    return [
        counted_row(found, budget, paper) for found, paper in zip(solutions, papers, strict=True)
    ]


def _solve(base: ResNeXtConfig, budget: Budget, request: DesignRequest) -> list[Solution]:
    if request.depth and budget.scope == "block":
        raise ConfigError("depth does not change the cost of a block; count the whole network")
    if not request.pareto:
        return [closest(family, budget) for family in families_of(base, request)]
    from resnext.complexity.pareto import designs_within

    tolerance = 0.02 if request.tolerance is None else request.tolerance
    return designs_within(base, budget, tolerance, vary_depth=request.depth)


def _papers(
    solutions: list[Solution], like: ResNeXtConfig, request: DesignRequest
) -> list[ResNeXtConfig | None]:
    """Return the paper's design for each solution, if tables 2 to 4 have one."""
    from resnext.complexity.paper import paper_depth, paper_width

    answers_like = [s.config.blocks_per_stage == like.blocks_per_stage for s in solutions]
    if request.cardinality and all(answers_like):
        return [paper_width(solution.config, like, request.factor) for solution in solutions]
    if request.depth and not request.pareto:
        return [paper_depth(solution.config, like, request.factor) for solution in solutions]
    return [None for _ in solutions]
