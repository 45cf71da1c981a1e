"""The page's equal-cost solver: changes a network so that it costs as much as another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from resnext.complexity.budget import Budget, By
from resnext.complexity.family import Family, cardinality_family, depth_family, width_family
from resnext.complexity.solve import Solution, closest
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.page.settings_form import (
    MAX_BLOCKS,
    MAX_PATHS,
    check_size,
    num_paths,
    title_of,
)

Solve = Literal["width", "cardinality", "depth"]
ChoiceT = TypeVar("ChoiceT", bound=str)

_FAR = 0.1  # deviations above this are pointed out
_COSTS = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}


@dataclass(frozen=True)
class Question:
    """The cost to match, and what may change.

    Attributes:
        like: The network whose cost is matched.
        by: The kind of cost.
        solve: The dimension that may change.
        factor: Factor on the cost to match.
        input_size: Input side in pixels at which both are counted.
    """

    like: ResNeXtConfig
    by: str
    solve: str
    factor: float | None
    input_size: int


def find(base: ResNeXtConfig, question: Question) -> Solution:
    """Change one dimension of a network so that it costs as much as another.

    Args:
        base: The network to change.
        question: The cost to match, and the dimension to change.

    Raises:
        ConfigError: A choice is invalid, or no network within the page's limits comes close.
    """
    by = _one_of("cost to match", question.by, get_args(By))
    factor = question.factor
    if factor is None or not 0.001 <= factor <= 1000:
        raise ConfigError(f"factor: {factor} is not a number from 0.001 to 1,000")
    budget = Budget.like(question.like, by, "network", question.input_size, factor)
    solution = closest(_bounded(_family(base, question.solve)), budget)
    check_size(solution.config)
    return solution


def tell(solution: Solution, question: Question) -> str:
    """Describe the network found and how close it comes, in one sentence."""
    config = solution.config
    found = {
        "width": f"d = {config.bottleneck_width} at C = {config.cardinality}",
        "cardinality": f"C = {config.cardinality} at d = {config.bottleneck_width}",
        "depth": f"{config.depth} layers",
    }[question.solve]
    far = "; nothing comes closer" if abs(solution.deviation) > _FAR else ""
    times = "" if question.factor == 1 else f"{question.factor:g} times the "
    return (
        f"{title_of(config)}: {found} gives {solution.cost:,} {_COSTS[question.by]}, "
        f"{solution.deviation:+.2%} of {times}{title_of(question.like)}{far}."
    )


def _family(base: ResNeXtConfig, solve: str) -> Family:
    if solve == "width":
        return width_family(base, base.cardinality)
    if solve == "cardinality":
        return cardinality_family(base, base.bottleneck_width)
    _one_of("dimension to change", solve, get_args(Solve))
    return depth_family(base)


def _bounded(family: Family) -> Family:
    """Stop a search that leads to networks too large to count interactively."""

    def member(number: int) -> ResNeXtConfig:
        config = family(number)
        # the search tries up to twice the result
        too_deep = sum(config.blocks_per_stage) > 2 * MAX_BLOCKS + 8
        too_wide = config.cardinality > 2048 or config.bottleneck_width > 2048
        if too_deep or too_wide or num_paths(config) > 2 * MAX_PATHS:
            raise ConfigError(
                "no network within the limits of this page costs that much; use a smaller "
                "factor or change another dimension"
            )
        return config

    return member


def _one_of(name: str, value: str, accepted: tuple[ChoiceT, ...]) -> ChoiceT:
    for choice in accepted:
        if choice == value:
            return choice
    raise ConfigError(f"{name}: {value!r} is not a valid choice; use one of {', '.join(accepted)}")
