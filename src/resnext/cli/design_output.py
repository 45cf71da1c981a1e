"""What `resnext design` prints: designs with cost and deviation, and the paper's choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table

from resnext.cli.fitting_table import count_text, open_console, print_fitting
from resnext.complexity.budget import Budget
from resnext.complexity.pareto import undercut_by_none

_BY = {"params": "parameters", "macs": "multiply-adds", "activations": "activations"}
_TITLES, _NARROW_TITLES = ("# params.", "FLOPs", "activations"), ("params.", "FLOPs", "activ.")
_PAPER = "the paper's"
_COSTS = ("parameters", "macs", "activations")
_FAR = 0.1  # a deviation that one does not want to overlook


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
        rows: The designs, as `DesignRow.as_dict` returns them.
        factor: Share of the network's cost that the budget is.
        with_front: Mark the designs that no other one undercuts.
    """
    console = open_console()
    scope = "a block of " if budget.scope == "block" else ""
    times = "" if factor == 1 else f"{factor:g} times "
    console.print(f"{times}{_BY[budget.by]} of {scope}{like}: {budget.target:,}")
    front = undercut_by_none([[row[key] for key in _COSTS] for row in rows]) if with_front else []
    print_fitting(console, lambda is_full: _table(rows, budget, front, is_full=is_full))
    for line in _remarks(rows, with_front=with_front):
        console.print(line)


def _table(
    rows: Sequence[dict[str, Any]], budget: Budget, front: Sequence[bool], *, is_full: bool
) -> Table:
    """Draw designs; a column that says nothing is left out."""
    columns = {"design": [row["name"] + "*" * row["has_own_widths"] for row in rows]}
    columns["C"] = [str(row["cardinality"]) for row in rows]
    columns["d"] = [str(row["bottleneck_width"]) for row in rows]
    if is_full:
        columns["C·d"] = [str(row["group_width"]) for row in rows]
    if budget.scope == "block":  # the cost of a whole network is in the column of its kind
        columns["cost"] = [f"{row['cost']:,}" for row in rows]
    columns["deviation"] = [f"{row['deviation']:+.2%}" for row in rows]
    for title, key in zip(_TITLES if is_full else _NARROW_TITLES, _COSTS, strict=True):
        columns[title] = [count_text(row[key], is_full=is_full) for row in rows]
    if any(row["paper"] for row in rows):
        columns[_PAPER] = [_paper_text(row) for row in rows]
    if front:
        columns["front"] = ["*" if is_on_front else "" for is_on_front in front]
    table = Table(box=box.SIMPLE, collapse_padding=not is_full)
    for title in columns:
        is_text = title in ("design", _PAPER, "front")
        table.add_column(title, justify="left" if is_text else "right", no_wrap=title != _PAPER)
    for line in zip(*columns.values(), strict=True):
        table.add_row(*line)
    return table


def _remarks(rows: Sequence[dict[str, Any]], *, with_front: bool) -> list[str]:
    if not rows:
        return ["no design is that close; widen --tolerance"]
    lines = []
    if with_front:
        lines.append("front: no other of these is as cheap in all three and cheaper in one")
        return lines
    far = [row["name"] for row in rows if abs(row["deviation"]) > _FAR]
    if far:
        lines.append(f"the closest there is, though more than {_FAR:.0%} off: {', '.join(far)}")
    lines += [
        f"* {row['name']} with stem_width {row['stem_width']}, stage_widths {row['stage_widths']}; "
        "the name alone is another network"
        for row in rows
        if row["has_own_widths"]
    ]
    return lines


def _paper_text(row: dict[str, Any]) -> str:
    """Say whether the paper chose the same design, else which one and how close that is."""
    paper = row["paper"]
    if paper is None:
        return ""
    return "the same" if paper["is_same"] else f"{paper['shown']}, {paper['deviation']:+.2%}"
