"""What `resnext design` prints: designs with cost and deviation, and the paper's choice."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from resnext.complexity.budget import Budget
from resnext.complexity.count import count
from resnext.complexity.pareto import undercut_by_none
from resnext.complexity.solve import Solution
from resnext.model.config import ResNeXtConfig, template_stage_widths
from resnext.model.names import name_of

_BY = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}
_COSTS = ("parameters", "macs", "activations")
_FAR = 0.1  # a deviation that one does not want to overlook


def rows_of(solutions: Sequence[Solution], input_size: int | None) -> list[dict[str, Any]]:
    """Return designs as JSON values."""
    rows = []
    for solution in solutions:
        config = solution.config
        cost = count(config, input_size)
        rows.append(
            {
                "name": name_of(config),
                "cardinality": config.cardinality,
                "bottleneck_width": config.bottleneck_width,
                "group_width": config.cardinality * config.bottleneck_width,
                "depth": config.depth,
                "stem_width": config.stem_width,
                "stage_widths": list(config.stage_widths),
                "has_own_widths": config.stage_widths
                != template_stage_widths(config.block, len(config.stage_widths)),
                "cost": solution.cost,
                "deviation": solution.deviation,
                "parameters": cost.parameters,
                "macs": cost.macs,
                "activations": cost.activations,
            }
        )
    return rows


def print_designs(
    like: str,
    budget: Budget,
    rows: Sequence[dict[str, Any]],
    factor: float,
    *,
    with_front: bool = False,
) -> None:
    """Print designs beside the cost that they were to meet.

    Args:
        like: Name of the network whose cost is met.
        budget: The cost.
        rows: The designs, as `rows_of` returns them.
        factor: Share of the network's cost that the budget is.
        with_front: Mark the designs that no other one undercuts.
    """
    console = open_console()
    scope = "a block of" if budget.scope == "block" else ""
    times = "" if factor == 1 else f"{factor:g} times "
    console.print(
        f"{times}{_BY[budget.by]} of {scope + ' ' if scope else ''}{like}: {budget.target:,}"
    )
    table = Table(box=box.SIMPLE)
    table.add_column("design", no_wrap=True)
    # the cost of a whole network stands in the column of its kind
    cost = ["cost"] if budget.scope == "block" else []
    for title in ("C", "d", "C·d", *cost, "deviation"):
        table.add_column(title, justify="right")
    for title in ("# params.", "FLOPs", "activations"):
        table.add_column(title, justify="right")
    if with_front:
        table.add_column("front")
    front = undercut_by_none([[row[key] for key in _COSTS] for row in rows])
    for row, is_on_front in zip(rows, front, strict=True):
        table.add_row(
            row["name"],
            *(str(row[key]) for key in ("cardinality", "bottleneck_width", "group_width")),
            *(f"{row[title]:,}" for title in cost),
            f"{row['deviation']:+.2%}",
            *(f"{row[key]:,}" for key in _COSTS),
            *(["*" if is_on_front else ""] if with_front else []),
        )
    console.print(table)
    for line in _remarks(rows, with_front=with_front):
        console.print(line)


def _remarks(rows: Sequence[dict[str, Any]], *, with_front: bool) -> list[str]:
    if not rows:
        return ["no design is that close; widen --tolerance"]
    lines = []
    if with_front:
        lines.append("* no other of them has at most as many of all three, and fewer of one")
        return lines
    far = [row["name"] for row in rows if abs(row["deviation"]) > _FAR]
    if far:
        lines.append(f"nothing comes closer than {_FAR:.0%} to the cost than {', '.join(far)}")
    lines += [
        f"{row['name']}: stem {row['stem_width']}, stages {row['stage_widths']}"
        for row in rows
        if row["has_own_widths"]
    ]
    return lines


def paper_lines(
    solved: Sequence[Solution], chosen: Sequence[ResNeXtConfig | None], budget: Budget
) -> list[str]:
    """Say where the paper chose other designs, and how close those are.

    Args:
        solved: The closest designs.
        chosen: The paper's, or None where it has none.
        budget: The cost that both were to meet.
    """
    lines = []
    for solution, paper in zip(solved, chosen, strict=True):
        if paper is None:
            continue
        if paper == solution.config:
            lines.append(f"the paper: the same, {name_of(paper)}")
            continue
        cost = budget.cost_of(paper)
        lines.append(
            f"the paper: {name_of(paper)} for {name_of(solution.config)}, {cost:,} "
            f"({cost / budget.target - 1:+.2%})"
        )
    return lines


def open_console() -> Console:
    """Return where tables go; a file or a pipe has room for whole lines."""
    width = None if sys.stdout.isatty() else 120
    return Console(highlight=False, markup=False, width=width)
