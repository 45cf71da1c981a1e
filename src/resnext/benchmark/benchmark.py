"""Runs a benchmark: open networks, write files, race, summarise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnext.benchmark.contestant import Job, Plan, PrecisionName, Setting
from resnext.benchmark.device import DTYPES, describe_device, find_device, read_clocks
from resnext.benchmark.networks import Network, open_network
from resnext.benchmark.peak import Peak, measure_peak
from resnext.benchmark.race import Timings, race
from resnext.benchmark.result import Result, summarise
from resnext.benchmark.staging import stage
from resnext.benchmark.worker import reason_of
from resnext.errors import ConfigError
from resnext.turns import WARM_UP

Progress = Callable[[str, int, int], None]
"""Progress callback: a message, the completed steps and the total."""


@dataclass(frozen=True)
class BenchmarkReport:
    """All measurements, and the machine they were made on.

    Attributes:
        results: A row for each contestant of each race, including failed ones.
        peaks: This machine's peak rates, for each number of threads.
        machine: The GPU, or the processor with its cores.
        precision: Precision of the computation.
        clocks: Clocks of a GPU before and after; see `read_clocks`.
    """

    results: list[Result]
    peaks: list[Peak]
    machine: str
    precision: PrecisionName = "fp32"
    clocks: Sequence[dict[str, str]] = ()


def run_benchmark(
    names: Sequence[str], plan: Plan, progress: Progress = lambda *_: None
) -> BenchmarkReport:
    """Race networks on all runtimes of a plan.

    Args:
        names: See `open_network`.
        plan: Runtimes, sizes, rounds.
        progress: See `Progress`.

    Raises:
        ConfigError: A name is unknown or repeated.
        CheckpointError: A file is missing or damaged.
    """
    if not names or len(set(names)) != len(names):
        raise ConfigError("give the networks to time, each once, such as resnext50_32x4d")
    device = find_device(plan.device)
    networks = [open_network(name, plan.size_px) for name in names]
    steps = _Steps(networks, plan, progress)
    peaks = {}
    for threads in plan.threads:
        steps.tell(f"matrix multiplication with {threads} thread(s)")
        peaks[threads] = measure_peak(threads, device, DTYPES[plan.precision])
    clocks = [read_clocks(device)]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="resnext-benchmark-") as folder:
        for setting in plan.settings:
            timings = _race(networks, plan, setting, Path(folder), steps)
            for network, fared in zip(networks, timings, strict=True):
                peak = peaks[setting.threads]
                results += summarise(network, fared, setting, plan.rounds, peak)
    clocks.append(read_clocks(device))
    return BenchmarkReport(
        results, list(peaks.values()), describe_device(device), plan.precision, clocks
    )


class _Steps:
    """Counts the steps of a benchmark."""

    def __init__(self, networks: Sequence[Network], plan: Plan, progress: Progress) -> None:
        contestants = sum(len(network.runtimes(plan.runtimes)) for network in networks)
        each = 2 * contestants + WARM_UP + plan.rounds  # written, started, rounds
        self._total = len(plan.threads) + each * len(plan.settings)
        self._done = 0
        self._progress = progress

    def tell(self, what: str) -> None:
        self._progress(what, self._done, self._total)
        self._done += 1


def _race(
    networks: Sequence[Network], plan: Plan, setting: Setting, folder: Path, steps: _Steps
) -> list[dict[str, Timings]]:
    """Run one race, and return each network's contestants by their runtime."""
    fared: list[dict[str, Timings]] = [{} for _ in networks]
    pairs: list[tuple[int, str]] = []
    jobs: list[Job] = []
    for number, network in enumerate(networks):
        for runtime in network.runtimes(plan.runtimes):
            steps.tell(f"writing {network.label} for {runtime}")
            fared[number][runtime] = Timings()
            try:
                jobs.append(stage(network, runtime, setting, folder / str(number), plan))
                pairs.append((number, runtime))
            except Exception as error:  # an exporter may fail in any way; the others continue
                fared[number][runtime].reason = reason_of(error)
    for (number, runtime), timing in zip(
        pairs, race(jobs, plan.rounds, tell=steps.tell), strict=True
    ):
        fared[number][runtime] = timing
    return fared
