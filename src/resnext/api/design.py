"""`resnext.design`: the design solver in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict, Unpack, get_args, get_type_hints

from resnext.api.checks import check_choice
from resnext.api.design_request import (
    DesignRequest,
    budget_of,
    check_design,
    side_of,
    solve_designs,
)
from resnext.api.design_rows import DesignRow, row_of
from resnext.api.settings import check_names


class LatencyFlags(TypedDict, total=False):
    """Options for measuring latency, as in `resnext design --by latency`."""

    runtime: Literal["eager", "compiled", "onnxruntime"]
    """Runtime; onnxruntime runs the file of `export --input normalised`. By default eager."""
    batch_size: int
    """Batch size; by default 1."""
    threads: int
    """CPU threads; by default 1."""
    repeats: int
    """Measured rounds of each network; by default 15."""
    device: str
    """cpu, cuda or cuda:N; by default cpu."""
    precision: Literal["fp32", "bf16", "fp16"]
    """Precision; by default fp32."""
    no_cache: bool
    """Ignore cached latencies and measure again."""


def design(
    like: str = "resnet50",
    *,
    base: str | None = None,
    cardinality: int | Sequence[int] = (),
    width: int | Sequence[int] = (),
    depth: bool = False,
    multiplier: bool = False,
    multiple_of: int | None = None,
    by: Literal["params", "macs", "activations", "latency"] = "params",
    scope: Literal["block", "network"] = "network",
    factor: float = 1.0,
    input: int | None = None,  # noqa: A002 - the name of the flag
    num_classes: int | None = None,
    pareto: bool = False,
    tolerance: float | None = None,
    **measuring: Unpack[LatencyFlags],
) -> list[DesignRow]:
    """Find designs that match a cost: given values are kept, the rest is solved.

    Give one of `cardinality` (solves the width), `width` (solves the cardinality), `depth`,
    `multiplier` and `pareto`. Counted costs are solved exactly; latency is measured on this
    machine.

    Example:
        >>> import resnext
        >>> rows = resnext.design(like="resnet50", cardinality=[8, 32], scope="block")
        >>> [(row.name, f"{row.deviation:+.2%}") for row in rows]
        [('resnext50_8x14d', '+2.62%'), ('resnext50_32x4d', '+0.74%')]

    Args:
        like: The network whose cost to match.
        base: The network to vary, if different.
        cardinality: Cardinalities C: find the bottleneck width of each.
        width: Bottleneck widths d: find the cardinality of each.
        depth: Find the depth; with `pareto`, also vary it.
        multiplier: Find the multiplier of all widths.
        multiple_of: With `multiplier`: round widths to multiples of this.
        by: Cost to match: parameters, multiply-adds, activations, or latency on this machine.
        scope: One block of the first stage, as in the paper's table 2, or the whole network.
        factor: Multiple of the cost to match; 2 doubles it.
        input: Side of the input in pixels; by default that of the network.
        num_classes: Number of classes; by default 1000, or 10 for CIFAR networks.
        pareto: List all cardinalities and widths within `tolerance` of the cost.
        tolerance: Maximum relative deviation listed by `pareto`; by default 0.02.
        measuring: Options for latency; see `LatencyFlags`.

    Returns:
        One row per design: its name and config, `cost`, `target` and `deviation`, exact counts, and
        the paper's choice. `vars(row)` goes into a `pandas.DataFrame`.

    Raises:
        ConfigError: A name or number is not valid, or it is unclear what to solve.
    """
    check_names(measuring, LatencyFlags.__annotations__)
    request = DesignRequest(
        like=like,
        base=base,
        cardinality=_several(cardinality),
        width=_several(width),
        depth=depth,
        multiplier=multiplier,
        multiple_of=multiple_of,
        by=by,
        scope=scope,
        factor=factor,
        input=input,
        num_classes=num_classes,
        pareto=pareto,
        tolerance=tolerance,
        **measuring,
    )
    for name in ("by", "scope"):
        check_choice(name, getattr(request, name), get_args(get_type_hints(DesignRequest)[name]))
    check_design(request)
    if by == "latency":
        return _by_latency(request)
    return solve_designs(request, budget_of(request))


def _several(given: int | Sequence[int]) -> tuple[int, ...]:
    return (given,) if isinstance(given, int) else tuple(given)


def _by_latency(request: DesignRequest) -> list[DesignRow]:
    """Return the closest design of each family, with its latency in milliseconds."""
    from resnext.api.design_latency import search_designs
    from resnext.api.guest import guest

    side = side_of(request)
    with guest():
        searches = search_designs(request)
    rows = []
    for search in searches:
        config, latency = search.candidates[search.closest]
        rows.append(row_of(config, latency.median_ms, search.target_ms, side))
    return rows
