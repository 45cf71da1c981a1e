"""The network that costs as much as another one: the solver behind the button of the page."""

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

_FAR = 0.1  # a deviation that one does not want to overlook
_COSTS = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}


@dataclass(frozen=True)
class Question:
    """What is to be kept, and what may change.

    Attributes:
        like: The network whose cost is to be met.
        by: What is counted.
        solve: What of the network may change.
        factor: Share of the cost to meet.
        input_size: Side of the input in pixels, at which both are counted.
    """

    like: ResNeXtConfig
    by: str
    solve: str
    factor: float | None
    input_size: int


def find(base: ResNeXtConfig, question: Question) -> Solution:
    """Change one dimension of a network so that it costs what another one does.

    Args:
        base: Gives everything else.
        question: The cost, and which dimension.

    Raises:
        ConfigError: A choice is not offered, or no network of the page's limits comes close.
    """
    by = _one_of("what to keep", question.by, get_args(By))
    factor = question.factor
    if factor is None or not 0.001 <= factor <= 1000:
        raise ConfigError(f"factor: {factor} is not a number from 0.001 to 1,000")
    budget = Budget.like(question.like, by, "network", question.input_size, factor)
    solution = closest(_bounded(_family(base, question.solve)), budget)
    check_size(solution.config)
    return solution


def tell(solution: Solution, question: Question) -> str:
    """Say in a sentence what was found and how close it comes."""
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
    _one_of("what to find", solve, get_args(Solve))
    return depth_family(base)


def _bounded(family: Family) -> Family:
    """Stop a search that leads to networks too large to count while somebody waits."""

    def member(number: int) -> ResNeXtConfig:
        config = family(number)
        # the search looks at up to twice what it finds
        too_deep = sum(config.blocks_per_stage) > 2 * MAX_BLOCKS + 8
        too_wide = config.cardinality > 2048 or config.bottleneck_width > 2048
        if too_deep or too_wide or num_paths(config) > 2 * MAX_PATHS:
            raise ConfigError(
                "no network within the limits of this page costs that much; take a smaller "
                "factor, or let something else change"
            )
        return config

    return member


def _one_of(name: str, value: str, accepted: tuple[ChoiceT, ...]) -> ChoiceT:
    for choice in accepted:
        if choice == value:
            return choice
    raise ConfigError(f"{name}: {value!r} is not offered; take one of {', '.join(accepted)}")
