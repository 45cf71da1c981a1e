"""Find the design that meets a cost: the width for a cardinality, or any other dimension.

The target is the cost of --like times --factor. Given --cardinality, the width is solved; given
--width, the cardinality; --depth and --multiplier solve the depth and the widths. Counted costs are
solved exactly. Latency is measured on this machine: up to nine designs take turns, and the closest
is returned.

Examples:
  resnext design --like resnet50 --cardinality 2 4 8 32 --scope block
  resnext design --like resnet50 --width 4
  resnext design --like resnet101 --factor 2 --cardinality 1 2 64 --by macs
  resnext design --like resnet101 --factor 2 --by macs --depth
  resnext design --like resnext50_32x4d --factor 0.5 --by macs --multiplier
  resnext design --like resnet50 --pareto --tolerance 0.01
  resnext design --like resnet101 --by activations --pareto --depth --tolerance 0.001
  resnext design --like resnet50 --cardinality 32 --by latency --runtime onnxruntime
  resnext design --like resnet50 --cardinality 32 --by latency --device cuda --precision bf16
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal

from resnext.cli.arguments import check_ranges, option, parse, refuse_ignored
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
class DesignCommand:
    """Find the design that meets a cost."""

    like: Annotated[str, option("NAME", "resnet50")] = "resnet50"
    """The network whose cost to match."""
    base: Annotated[str | None, option("NAME", "the same")] = None
    """The network to vary, if different."""
    cardinality: Annotated[tuple[int, ...], option("C ...")] = ()
    """Cardinalities; find the bottleneck width of each."""
    width: Annotated[tuple[int, ...], option("D ...")] = ()
    """Bottleneck widths; find the cardinality of each."""
    depth: bool = False
    """Find the depth; with --pareto, also vary it."""
    multiplier: bool = False
    """Find the multiplier of all widths."""
    multiple_of: Annotated[int | None, option("N", "1")] = None
    """With --multiplier: round widths to multiples of this."""
    by: Annotated[
        Literal["params", "macs", "activations", "latency"],
        option("params|macs|activations|latency", "params"),
    ] = "params"
    """Cost to match: counted, or latency measured on this machine."""
    scope: Annotated[Literal["block", "network"], option("block|network", "network")] = "network"
    """One block of the first stage, as in the paper's table 2, or the whole network."""
    factor: Annotated[float, option("X", "1")] = 1.0
    """Multiple of the cost to match; 2 doubles it."""
    input: Annotated[int | None, option("PIXELS", "the network's default")] = None
    """Side of the input images."""
    num_classes: Annotated[int | None, option("N", "1000, CIFAR 10")] = None
    """Number of classes."""
    pareto: bool = False
    """List all cardinalities and widths within --tolerance of the cost."""
    tolerance: Annotated[float | None, option("SHARE", "0.02")] = None
    """Largest relative deviation listed by --pareto."""
    runtime: Annotated[
        Literal["eager", "compiled", "onnxruntime"] | None,
        option("eager|compiled|onnxruntime", "eager"),
    ] = None
    """Runtime for latency; onnxruntime runs the file of `export --input normalised`."""
    batch_size: Annotated[int | None, option("N", "1")] = None
    """Batch size for latency."""
    threads: Annotated[int | None, option("N", "1")] = None
    """CPU threads for latency."""
    repeats: Annotated[int | None, option("N", "15")] = None
    """Measured rounds for latency."""
    device: Annotated[str | None, option("DEVICE", "cpu")] = None
    """Device for latency: cpu, cuda or cuda:N."""
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"] | None, option("fp32|bf16|fp16", "fp32")
    ] = None
    """Precision for latency; onnxruntime uses fp32."""
    no_cache: bool = False
    """Ignore cached latencies and measure again."""
    json: bool = False
    """Print the designs as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: A name or number is not accepted, or what to solve is not clear.
    """
    arguments = parse(DesignCommand, argv, __doc__)
    _check(arguments)
    like = _network(arguments.like, arguments)
    base = _network(arguments.base or arguments.like, arguments)
    # another stem would be counted on its own size of image
    input_size = arguments.input or default_side(like)
    if arguments.by == "latency":
        from resnext.cli.design_latency import find_by_latency

        return find_by_latency(like, _families(base, arguments), arguments, input_size)
    budget = Budget.like(like, arguments.by, arguments.scope, input_size, arguments.factor)
    _check_target(budget, arguments)
    _print(_solve(base, budget, arguments), like, budget, arguments)
    return 0


def _check(arguments: DesignCommand) -> None:
    """Refuse what is unclear, out of range, or would be ignored."""
    asked = {
        "--cardinality": bool(arguments.cardinality),
        "--width": bool(arguments.width),
        "--depth": arguments.depth and not arguments.pareto,
        "--multiplier": arguments.multiplier,
        "--pareto": arguments.pareto,
    }
    if sum(asked.values()) != 1:
        given = " and ".join(flag for flag, is_given in asked.items() if is_given) or "none"
        raise ConfigError(f"give one of {', '.join(asked)}, got {given}")
    check_ranges(arguments, dict.fromkeys(_WHOLE, (1, None)))
    if not 0 < arguments.factor < inf:
        raise ConfigError(f"--factor {arguments.factor}: give a share above 0")
    if arguments.repeats == 1:
        raise ConfigError("--repeats 1: one measurement has no spread; give at least 2")
    _refuse_ignored(arguments)


def _refuse_ignored(arguments: DesignCommand) -> None:
    """Refuse flags that were given without the one that they belong to."""
    if not arguments.multiplier:
        refuse_ignored(arguments, ("multiple_of",), "--multiplier")
    if not arguments.pareto:
        refuse_ignored(arguments, ("tolerance",), "--pareto")
    if arguments.by == "latency":
        refuse_ignored(arguments, ("pareto", "scope"), "a counted cost")
    else:
        measuring = (
            *("runtime", "batch_size", "threads", "repeats", "no_cache"),
            *("device", "precision"),
        )
        refuse_ignored(arguments, measuring, "--by latency")


def _check_target(budget: Budget, arguments: DesignCommand) -> None:
    if not 1 <= budget.target <= _MAX_TARGET:
        raise ConfigError(
            f"--factor {arguments.factor:g}: the cost to meet would be {budget.target:.3g}; "
            f"give a factor that leaves 1 to {_MAX_TARGET:.0e}"
        )


def _network(name: str, arguments: DesignCommand) -> ResNeXtConfig:
    changes = {} if arguments.num_classes is None else {"num_classes": arguments.num_classes}
    config = config_from(name, **changes)
    if not isinstance(config, ResNeXtConfig):
        raise ConfigError(
            f"{name!r} has no cardinality or width to solve; name a ResNet or ResNeXt"
        )
    return config


def _families(base: ResNeXtConfig, arguments: DesignCommand) -> list[Family]:
    """Return the families among which a design is to be found, one a line of the answer."""
    if arguments.cardinality:
        return [width_family(base, cardinality) for cardinality in arguments.cardinality]
    if arguments.width:
        return [cardinality_family(base, width) for width in arguments.width]
    if arguments.depth:
        return [depth_family(base)]
    return [multiplier_family(base, multiple_of=arguments.multiple_of or 1)]


def _solve(base: ResNeXtConfig, budget: Budget, arguments: DesignCommand) -> list[Solution]:
    if arguments.depth and budget.scope == "block":
        raise ConfigError("depth does not change the cost of a block; count the whole network")
    if not arguments.pareto:
        return [closest(family, budget) for family in _families(base, arguments)]
    from resnext.complexity.pareto import designs_within

    tolerance = 0.02 if arguments.tolerance is None else arguments.tolerance
    return designs_within(base, budget, tolerance, vary_depth=arguments.depth)


def _print(
    solutions: list[Solution], like: ResNeXtConfig, budget: Budget, arguments: DesignCommand
) -> None:
    from resnext.cli.design_output import print_designs, rows_of

    rows = rows_of(solutions, _papers(solutions, like, arguments), budget)
    if arguments.json:
        print(json.dumps({"target": budget.target, "by": budget.by, "designs": rows}, indent=2))
        return
    print_designs(arguments.like, budget, rows, arguments.factor, with_front=arguments.pareto)


def _papers(
    solutions: list[Solution], like: ResNeXtConfig, arguments: DesignCommand
) -> list[ResNeXtConfig | None]:
    """Return the paper's design for each solution, where tables 2 to 4 have one."""
    from resnext.complexity.paper import paper_depth, paper_width

    answers_like = [s.config.blocks_per_stage == like.blocks_per_stage for s in solutions]
    if arguments.cardinality and all(answers_like):
        return [paper_width(solution.config, like, arguments.factor) for solution in solutions]
    if arguments.depth and not arguments.pareto:
        return [paper_depth(solution.config, like, arguments.factor) for solution in solutions]
    return [None for _ in solutions]
