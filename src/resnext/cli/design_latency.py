"""`resnext design --by latency`: measure, and print every figure with its spread."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from resnext.api.design_latency import search_designs, setup_of
from resnext.benchmark.latency import Latency, LatencySetup
from resnext.benchmark.latency_search import LatencySearch
from resnext.cli.fitting_table import open_console
from resnext.complexity.family import MULTIPLIER_STEPS
from resnext.model.names import name_of

if TYPE_CHECKING:
    from resnext.cli.design import DesignCommand


def print_by_latency(arguments: DesignCommand) -> int:
    """Search for the designs of a network's latency, and print what was measured.

    Args:
        arguments: The flags.

    Raises:
        ConfigError: The runtime is not installed, or the cache cannot be written.
    """
    searches = search_designs(arguments, progress=_tell)
    if arguments.json:
        print(json.dumps([as_dict(search) for search in searches], indent=2))
    else:
        print_latencies(arguments.like, searches, setup_of(arguments), _unknown(arguments))
    return 0


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


def _unknown(arguments: DesignCommand) -> str:
    """Return the title of the numbers that a family goes through."""
    if arguments.cardinality:
        return "d"
    if arguments.width:
        return "C"
    return "blocks" if arguments.depth else "multiplier"


def print_latencies(
    like: str, searches: Sequence[LatencySearch], setup: LatencySetup, unknown: str
) -> None:
    """Print all that was measured, the closest candidate marked.

    Args:
        like: Name of the network whose latency is met.
        searches: What was measured, a table each.
        setup: How it was measured.
        unknown: Title of the families' numbers.
    """
    console = open_console()
    reference = searches[0].reference
    console.print(
        f"latency on {reference.machine}; {reference.versions}; {setup.runtime}, "
        f"{setup.precision}, batch {setup.batch_size}, {setup.threads} thread(s), "
        f"{setup.rounds} rounds in turns"
    )
    for search in searches:
        share = "" if search.factor == 1 else f", times {search.factor:g} is the target"
        console.print(f"{like}: {_spread(search.reference)} ms{share}{_age(search.reference)}")
        table = Table(box=box.SIMPLE)
        for title in ("", unknown, "design", "latency, ms (quartiles)", "of the target", ""):
            table.add_column(title, no_wrap=True)
        for number, (config, latency) in enumerate(search.candidates):
            table.add_row(
                "->" if number == search.closest else "",
                _number(search.numbers[number], unknown),
                name_of(config),
                _spread(latency),
                f"{latency.median_ms / search.target_ms:.2f}x",
                _age(latency).removeprefix("; "),
            )
        console.print(table)
        for line in _remarks(search):
            console.print(line)


def _remarks(search: LatencySearch) -> list[str]:
    lines = []
    if search.is_outside:
        lines.append(
            f"the target, {search.target_ms:.2f} ms, is outside the measured range; nothing "
            "was extrapolated"
        )
    if search.has_gap:
        lines.append("between the two around the target there are designs that were not measured")
    if len(search.rivals) > 1:
        names = ", ".join(name_of(search.candidates[number][0]) for number in search.rivals)
        lines.append(
            f"within the measurement noise of the target: {names}; more --repeats or an idle "
            "machine narrow it"
        )
    return lines


def as_dict(search: LatencySearch) -> dict[str, Any]:
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


def _number(number: int, unknown: str) -> str:
    return f"{number / MULTIPLIER_STEPS:.2f}" if unknown == "multiplier" else str(number)


def _age(latency: Latency) -> str:
    return f"; cached, {latency.measured}" if latency.is_cached else ""


def _spread(latency: Latency) -> str:
    return f"{latency.median_ms:.2f} ({latency.low_ms:.2f} to {latency.high_ms:.2f})"
