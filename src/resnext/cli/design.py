"""Find the design that meets a cost: the width for a cardinality, or any other dimension.

The cost is that of --like, times --factor. Give what is known; the rest is solved:
--cardinality solves the width, --width the cardinality, --depth and --multiplier themselves.

Examples:
  resnext design --like resnet50 --cardinality 2 4 8 32 --scope block
  resnext design --like resnet50 --width 4
  resnext design --like resnet101 --factor 2 --cardinality 1 2 64 --by macs
  resnext design --like resnet101 --factor 2 --by macs --depth
  resnext design --like resnext50_32x4d --factor 0.5 --by macs --multiplier
  resnext design --like resnet50 --pareto --tolerance 0.01
  resnext design --like resnet50 --cardinality 32 --by latency --runtime onnxruntime
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from resnext.cli.arguments import option, parse
from resnext.complexity.budget import Budget
from resnext.complexity.solve import (
    Solution,
    solve_cardinality,
    solve_depth,
    solve_multiplier,
    solve_width,
)
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from

if TYPE_CHECKING:
    from resnext.complexity.latency import LatencySetup


@dataclass(frozen=True)
class Design:
    """Find the design that meets a cost."""

    like: Annotated[str, option("NAME", "resnet50")] = "resnet50"
    """The network whose cost is to be met."""
    base: Annotated[str | None, option("NAME", "the same")] = None
    """The network to vary, if it is another one."""
    cardinality: Annotated[tuple[int, ...], option("C ...")] = ()
    """Cardinalities: find the bottleneck width of each."""
    width: Annotated[tuple[int, ...], option("D ...")] = ()
    """Bottleneck widths: find the cardinality of each."""
    depth: bool = False
    """Find the depth."""
    multiplier: bool = False
    """Find the factor of all widths."""
    by: Annotated[
        Literal["params", "macs", "activations", "latency"],
        option("params|macs|activations|latency", "params"),
    ] = "params"
    """What to keep: counted, or measured on this machine."""
    scope: Annotated[Literal["block", "network"], option("block|network", "network")] = "network"
    """Over one block of the first stage, as the paper's table 2, or the whole network."""
    factor: Annotated[float, option("X", "1")] = 1.0
    """Share of the cost to meet; 2 doubles it."""
    input: Annotated[int | None, option("PIXELS", "what the network is made for")] = None
    """Side of the input."""
    num_classes: Annotated[int | None, option("N", "1000, CIFAR 10")] = None
    """Classes of the head."""
    pareto: bool = False
    """List all cardinalities and widths within --tolerance of the cost."""
    tolerance: Annotated[float, option("SHARE", "0.02")] = 0.02
    """Largest deviation that --pareto lists."""
    runtime: Annotated[
        Literal["eager", "compiled", "onnxruntime"], option("eager|compiled|onnxruntime", "eager")
    ] = "eager"
    """Where latency is measured."""
    batch_size: Annotated[int, option("N", "1")] = 1
    """Images at once when latency is measured."""
    threads: Annotated[int, option("N", "1")] = 1
    """CPU threads when latency is measured."""
    repeats: Annotated[int, option("N", "15")] = 15
    """Measured rounds of each network."""
    no_cache: bool = False
    """Measure anew what was measured before."""
    json: bool = False
    """Print the designs as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: A name or number is not accepted, or what to solve is not clear.
    """
    arguments = parse(Design, argv, __doc__)
    like, base = _network(arguments.like, arguments), _network(_base(arguments), arguments)
    if arguments.by == "latency":
        return _by_latency(like, base, arguments)
    budget = Budget.like(like, arguments.by, arguments.scope, arguments.input, _factor(arguments))
    solutions = _solve(base, budget, arguments)
    from resnext.cli.design_output import paper_lines, print_designs, rows_of

    rows = rows_of(solutions, arguments.input)
    if arguments.json:
        print(json.dumps({"target": budget.target, "by": budget.by, "designs": rows}, indent=2))
    else:
        print_designs(arguments.like, budget, rows, arguments.factor)
        for line in paper_lines(solutions, _papers(base, solutions, arguments), budget):
            print(line)
    return 0


def _base(arguments: Design) -> str:
    return arguments.base or arguments.like


def _factor(arguments: Design) -> float:
    if arguments.factor <= 0:
        raise ConfigError(f"--factor {arguments.factor}: give a share above 0")
    return arguments.factor


def _network(name: str, arguments: Design) -> ResNeXtConfig:
    changes = {} if arguments.num_classes is None else {"num_classes": arguments.num_classes}
    config = config_from(name, **changes)
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(
            f"{name!r} has no cardinality or width to solve; name a ResNet or ResNeXt"
        )
    return config


def _solve(base: ResNeXtConfig, budget: Budget, arguments: Design) -> list[Solution]:
    """Solve what was asked for."""
    for flag, values in (("cardinality", arguments.cardinality), ("width", arguments.width)):
        if any(value < 1 for value in values):
            raise ConfigError(f"--{flag} {' '.join(map(str, values))}: give numbers of at least 1")
    asked = {
        "--cardinality": bool(arguments.cardinality),
        "--width": bool(arguments.width),
        "--depth": arguments.depth,
        "--multiplier": arguments.multiplier,
        "--pareto": arguments.pareto,
    }
    if sum(asked.values()) != 1:
        given = " and ".join(flag for flag, is_given in asked.items() if is_given) or "none"
        raise ConfigError(f"give one of {', '.join(asked)}, got {given}")
    if arguments.cardinality:
        return [solve_width(base, cardinality, budget) for cardinality in arguments.cardinality]
    if arguments.width:
        return [solve_cardinality(base, width, budget) for width in arguments.width]
    if arguments.pareto:
        from resnext.complexity.pareto import designs_within

        return designs_within(base, budget, arguments.tolerance)
    return [(solve_depth if arguments.depth else solve_multiplier)(base, budget)]


def _papers(
    base: ResNeXtConfig, solutions: list[Solution], arguments: Design
) -> list[ResNeXtConfig | None]:
    """Return the paper's design for each solution, where tables 2 and 4 have one."""
    from resnext.complexity.paper import paper_depth, paper_width

    if arguments.cardinality:
        return [paper_width(solution.config, arguments.factor) for solution in solutions]
    return [paper_depth(base, arguments.factor) if arguments.depth else None for _ in solutions]


def _by_latency(like: ResNeXtConfig, base: ResNeXtConfig, arguments: Design) -> int:
    """Measure the widths around the one of equal multiply-adds, and take the closest."""
    from resnext.cache import cache_folder
    from resnext.cli.design_output import latency_as_dict, print_latencies
    from resnext.complexity.latency import LatencySetup
    from resnext.complexity.latency_search import search_width

    if not arguments.cardinality or arguments.width or arguments.depth or arguments.pareto:
        raise ConfigError("--by latency finds the width of a cardinality: give --cardinality C ...")
    for name in ("batch_size", "threads", "repeats"):
        if getattr(arguments, name) < (2 if name == "repeats" else 1):
            raise ConfigError(f"--{name.replace('_', '-')} {getattr(arguments, name)}: give more")
    setup: LatencySetup = LatencySetup(
        arguments.runtime,
        arguments.input,
        arguments.batch_size,
        arguments.threads,
        arguments.repeats,
    )
    cache = None if arguments.no_cache else cache_folder("latency") / "measured.json"
    searches = [
        search_width(like, base, cardinality, setup, factor=_factor(arguments), cache=cache)
        for cardinality in arguments.cardinality
    ]
    if arguments.json:
        print(json.dumps([latency_as_dict(search) for search in searches], indent=2))
    else:
        print_latencies(arguments.like, searches, setup)
    return 0
