"""The output of `resnext benchmark`: a table for each race, and why some did not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from resnext.benchmark.benchmark import BenchmarkReport
from resnext.benchmark.contestant import Setting
from resnext.benchmark.peak import Peak
from resnext.benchmark.result import Result, RuntimeFigures
from resnext.cli.fitting_table import open_console

_TITLES = ("ms (quartiles)", "p95", "images/s", "ratio", "of peak", "MiB")
_BUSY = 1.15
_FAR, _FAR_ROUNDED = 1e-3, 0.1  # of the largest logit, in fp32 and below it


def print_benchmark(report: BenchmarkReport) -> None:
    """Print all measurements.

    Args:
        report: The measurements.
    """
    console = open_console()
    console.print(f"{report.precision} on {report.machine}")
    for when, clocks in zip(("before", "after"), report.clocks, strict=False):
        if clocks:
            console.print(f"{when}: {describe_clocks(clocks)}")
    for peak in report.peaks:
        console.print(_peak_line(peak))
    for setting in dict.fromkeys(result.setting for result in report.results):
        _print_race([r for r in report.results if r.setting == setting], setting, console)
    for line in _remarks(report.results, _FAR if report.precision == "fp32" else _FAR_ROUNDED):
        console.print(line)


def _peak_line(peak: Peak) -> str:
    return (
        f"{peak.threads} thread(s): matrix multiplication {peak.matmul_gflops:.0f}, convolution "
        f"{peak.conv_gflops:.0f} GFLOP/s peak (a multiply-add counts as two)"
    )


def _print_race(results: Sequence[Result], setting: Setting, console: Console) -> None:
    console.print(f"\nbatch {setting.batch}, {setting.threads} thread(s)")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("network", overflow="fold")
    table.add_column("runtime", no_wrap=True)
    for title in _TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    seen = ""
    for result in sorted(results, key=_rank(results)):
        if result.figures is None:
            continue
        label = result.network.label
        table.add_row("" if label == seen else label, result.runtime, *_cells(result.figures))
        seen = label
    if table.row_count:
        console.print(table)
    for result in results:
        if result.figures is None:
            console.print(f"{result.network.label}, {result.runtime}: not run: {result.reason}")


def _rank(results: Sequence[Result]) -> Callable[[Result], tuple[int, float]]:
    """Return the sort key of a race: networks in the given order, fastest runtime first."""
    labels = list(dict.fromkeys(result.network.label for result in results))

    def rank(result: Result) -> tuple[int, float]:
        latency_ms = result.figures.latency_ms if result.figures else 0.0
        return labels.index(result.network.label), latency_ms

    return rank


def _cells(figures: RuntimeFigures) -> list[str]:
    memory = figures.peak_memory_mib
    return [
        f"{_ms(figures.latency_ms)} ({_ms(figures.low_ms)}-{_ms(figures.high_ms)})",
        _ms(figures.p95_ms),
        f"{figures.images_per_second:,.1f}",
        f"{figures.ratio:.2f}",
        f"{figures.share_of_peak:.0%}",
        "" if memory is None else f"{memory:,.0f}",
    ]


def _ms(milliseconds: float) -> str:
    """Format about three digits."""
    digits = 0 if milliseconds >= 1000 else 1 if milliseconds >= 100 else 2
    return f"{milliseconds:.{digits}f}"


def describe_clocks(clocks: dict[str, str]) -> str:
    """Format a GPU's clocks, power and temperature in one line."""
    return ", ".join(f"{name} {value}" for name, value in clocks.items())


def _remarks(results: Sequence[Result], far: float) -> list[str]:
    """Explain the columns, and warn about unreliable measurements."""
    measured = [(result, result.figures) for result in results if result.figures is not None]
    if not measured:
        return ["no contestant could run"]
    rounds = measured[0][0].rounds
    lines = [
        f"{rounds} rounds in turns. ratio: relative to the network's fastest, median over the "
        "rounds. of peak: rate of multiply-adds relative to matrix multiplication. MiB: peak "
        "resident memory."
    ]
    # with one thread nobody waits, so that time without CPU was given to other processes
    waits = [f.latency_ms / f.cpu_ms for r, f in measured if r.setting.threads == 1 and f.cpu_ms]
    if waits and max(waits) > _BUSY:
        lines.append(
            f"the machine was busy: runs took up to {max(waits):.1f} times their CPU time; the "
            "ratios are more reliable than the times"
        )
    lines += [
        f"{result.network.label}, {result.runtime}: different results, logits differ by "
        f"{figures.difference:.1e} of the largest"
        for result, figures in measured
        if figures.difference is not None and figures.difference > far
    ]
    return lines
