"""`resnext benchmark --map`: which cardinalities are free on this machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from resnext.api.checks import check_ranges, refuse_ignored
from resnext.cli.benchmark_output import describe_clocks
from resnext.cli.fitting_table import open_console
from resnext.errors import ConfigError
from resnext.files import write_whole
from resnext.machine import num_cores
from resnext.progress import say_start

if TYPE_CHECKING:
    from resnext.benchmark.cardinality_map import CardinalityMap
    from resnext.cli.benchmark import Benchmark

_BATCH = 8


def run_map(arguments: Benchmark) -> int:
    """Measure, print and write a map of cardinality.

    Args:
        arguments: The flags.

    Raises:
        ConfigError: A flag is wrong, or the device does not exist.
    """
    _check(arguments)
    say_start("preparing the networks", quiet=arguments.quiet)
    from resnext.benchmark.cardinality_map import MapSetup, map_cardinality
    from resnext.benchmark.map_output import as_csv, as_json, draw_map
    from resnext.benchmark.plot import check_plot_file

    if arguments.plot is not None:
        check_plot_file(arguments.plot)
    setup = MapSetup(
        base=arguments.networks[0] if arguments.networks else "resnet50",
        device=arguments.device,
        precision=arguments.precision,
        batch=arguments.batch[0] if arguments.batch else _BATCH,
        size_px=arguments.size,
        threads=arguments.threads[0],
        rounds=arguments.rounds,
    )
    found = map_cardinality(setup, lambda line: _tell(line, quiet=arguments.quiet))
    if arguments.csv is not None:
        write_whole(arguments.csv, as_csv(found))
    if arguments.plot is not None:
        draw_map(found, arguments.plot)
    if arguments.json:
        print(as_json(found))
    elif not arguments.quiet:
        print_map(found)
    return 0


def _tell(line: str, *, quiet: bool) -> None:
    if not quiet:
        print(line, file=sys.stderr, flush=True)


def _check(arguments: Benchmark) -> None:
    refuse_ignored(arguments, ("runtime",), "a race of networks, not --map")
    for name in ("networks", "batch", "threads"):
        if len(getattr(arguments, name)) > 1:
            raise ConfigError(f"--map takes a single value of {name}")
    ranges = {"batch": (2, 4096), "threads": (1, num_cores()), "rounds": (2, 100_000)}
    check_ranges(arguments, {**ranges, "size": (1, 4096)})


def print_map(found: CardinalityMap) -> None:
    """Print one line per network and layout, and the conclusion."""
    from resnext.benchmark.map_output import answer

    setup, console = found.setup, open_console()
    console.print(
        f"{setup.precision} on {found.machine}; {found.versions}; multiply-adds of {setup.base}, "
        f"batch {setup.batch}, {setup.threads} thread(s), {setup.rounds} rounds"
    )
    for when, clocks in zip(("before", "after"), found.clocks, strict=True):
        if clocks:
            console.print(f"{when}: {describe_clocks(clocks)}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in (
        "C x d",
        "layout",
        "step, ms",
        "relative to C = 1",
        "inference, ms",
        "relative to C = 1",
    ):
        table.add_column(title, no_wrap=True)
    for row in found.rows:
        table.add_row(
            f"{row.cardinality} x {row.group_width}",
            row.layout,
            f"{row.train_ms[0]:.1f}",
            str(row.train_ratio),
            f"{row.infer_ms[0]:.1f}",
            str(row.infer_ratio),
        )
    console.print(table)
    for line in answer(found):
        console.print(line)
