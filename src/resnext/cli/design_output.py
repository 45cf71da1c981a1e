"""What `resnext design` prints: designs with cost and deviation, and measured latencies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from resnext.complexity.budget import Budget
from resnext.complexity.count import count
from resnext.complexity.latency import LatencySetup
from resnext.complexity.latency_search import LatencySearch
from resnext.complexity.solve import Solution
from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of

_BY = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}


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
                "cost": solution.cost,
                "deviation": solution.deviation,
                "parameters": cost.parameters,
                "macs": cost.macs,
                "activations": cost.activations,
            }
        )
    return rows


def print_designs(like: str, budget: Budget, rows: Sequence[dict[str, Any]], factor: float) -> None:
    """Print designs beside the cost that they were to meet."""
    console = _console()
    scope = "a block of" if budget.scope == "block" else ""
    times = "" if factor == 1 else f"{factor:g} times "
    console.print(
        f"{times}{_BY[budget.by]} of {scope + ' ' if scope else ''}{like}: {budget.target:,}"
    )
    table = Table(box=box.SIMPLE)
    table.add_column("design", no_wrap=True)
    for title in ("C", "d", "C·d", "cost", "deviation"):
        table.add_column(title, justify="right")
    for title in ("# params.", "FLOPs"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row["name"],
            *(str(row[key]) for key in ("cardinality", "bottleneck_width", "group_width")),
            f"{row['cost']:,}",
            f"{row['deviation']:+.2%}",
            f"{row['parameters']:,}",
            f"{row['macs']:,}",
        )
    console.print(table)
    if not rows:
        console.print("no design is that close; widen --tolerance")
    elif abs(rows[0]["deviation"]) > 0.1:
        console.print("no design comes closer than 10 %")
    widths = {tuple(row["stage_widths"]) for row in rows}
    if len(rows) == 1 and widths:
        console.print(f"stem {rows[0]['stem_width']}, stages {list(*widths)}")


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


def print_latencies(like: str, searches: Sequence[LatencySearch], setup: LatencySetup) -> None:
    """Print all that was measured, the closest candidate marked."""
    console = _console()
    reference = searches[0].reference
    console.print(
        f"latency on {reference.machine}; {reference.versions}; {setup.runtime}, batch "
        f"{setup.batch_size}, {setup.threads} thread(s), {setup.rounds} rounds in turns"
    )
    console.print(f"{like}: {_spread(reference)}")
    for search in searches:
        table = Table(box=box.SIMPLE)
        for title in ("", "design", "latency, ms (quartiles)", "of the target", ""):
            table.add_column(title, no_wrap=True)
        for number, (config, latency) in enumerate(search.candidates):
            table.add_row(
                "->" if number == search.closest else "",
                name_of(config),
                _spread(latency),
                f"{latency.median_ms / search.target_ms:.2f}x",
                f"cached, {latency.measured}" if latency.is_cached else "",
            )
        console.print(table)
        for line in _remarks(search):
            console.print(line)


def _remarks(search: LatencySearch) -> list[str]:
    lines = []
    if search.is_outside:
        lines.append("the target lies outside of what was measured: a closer width may exist")
    if len(search.rivals) > 1:
        names = ", ".join(name_of(search.candidates[number][0]) for number in search.rivals)
        lines.append(f"not told apart by this spread: {names}")
    return lines


def latency_as_dict(search: LatencySearch) -> dict[str, Any]:
    """Return a search as JSON values."""
    candidates = [
        {"name": name_of(config), "bottleneck_width": config.bottleneck_width, **asdict(latency)}
        for config, latency in search.candidates
    ]
    return {
        "target_ms": search.target_ms,
        "reference": asdict(search.reference),
        "closest": candidates[search.closest],
        "is_outside": search.is_outside,
        "not_told_apart": [candidates[number]["name"] for number in search.rivals],
        "candidates": candidates,
    }


def _spread(latency: Any) -> str:
    return f"{latency.median_ms:.2f} ({latency.low_ms:.2f} to {latency.high_ms:.2f})"


def _console() -> Console:
    width = None if sys.stdout.isatty() else 120
    return Console(highlight=False, markup=False, width=width)
