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
from typing import Annotated, Literal

from resnext.api.design_request import DesignRequest, budget_of, check_design, solve_designs
from resnext.cli.arguments import option, parse


@dataclass(frozen=True)
class DesignCommand(DesignRequest):
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
    check_design(arguments)
    if arguments.by == "latency":
        from resnext.cli.design_latency import print_by_latency

        return print_by_latency(arguments)
    from resnext.cli.design_output import print_designs

    budget = budget_of(arguments)
    designs = solve_designs(arguments, budget)
    rows = [design.as_dict() for design in designs]
    if arguments.json:
        print(json.dumps({"target": budget.target, "by": budget.by, "designs": rows}, indent=2))
    else:
        front = arguments.pareto
        print_designs(arguments.like, budget, rows, arguments.factor, with_front=front)
    return 0
