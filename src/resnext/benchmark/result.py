"""The results of a race."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from resnext.benchmark.contestant import PEERS, Setting
from resnext.benchmark.networks import Network
from resnext.benchmark.peak import Peak
from resnext.benchmark.race import Timings
from resnext.benchmark.ratio import Ratio, paired_ratio


@dataclass(frozen=True)
class RuntimeFigures:
    """The measurements of one contestant.

    Attributes:
        latency_ms: Median time of one batch.
        low_ms: Lower quartile.
        high_ms: Upper quartile.
        p95_ms: 95th percentile.
        cpu_ms: Median CPU time of one batch over all threads. If it is well below latency times
            threads, other processes used the cores, or threads waited.
        images_per_second: At the median latency.
        ratio: Latency relative to the network's fastest contestant, median over the rounds.
        ratio_low: Lower end of the 95 % interval of that median.
        ratio_high: Upper end.
        share_of_peak: Rate of its multiply-adds relative to matrix multiplication.
        share_of_conv_peak: The same relative to the fastest convolution.
        peak_memory_mib: Largest resident memory of its process while it ran; None if unknown.
        difference: Largest difference of a logit from the network's first contestant, relative to
            the largest logit; None if weights or images differ.
        runs: Number of timed runs.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    p95_ms: float
    cpu_ms: float
    images_per_second: float
    ratio: float
    ratio_low: float
    ratio_high: float
    share_of_peak: float
    share_of_conv_peak: float
    peak_memory_mib: float | None
    difference: float | None
    runs: int


@dataclass(frozen=True)
class Result:
    """One contestant of one race.

    Attributes:
        network: The network.
        runtime: The runtime.
        setting: Batch and threads.
        rounds: Measured rounds.
        figures: None if it did not finish.
        reason: Why it did not finish; empty if it finished.
        round_ms: Median time of each round.
        round_cpu_ms: Median CPU time of each round.
    """

    network: Network
    runtime: str
    setting: Setting
    rounds: int
    figures: RuntimeFigures | None
    reason: str = ""
    round_ms: tuple[float, ...] = ()
    round_cpu_ms: tuple[float, ...] = ()


def summarise(
    network: Network,
    timings: dict[str, Timings],
    setting: Setting,
    rounds: int,
    peak: Peak,
) -> list[Result]:
    """Summarise the times of one network's contestants.

    Args:
        network: The network.
        timings: The timings of each runtime.
        setting: The race.
        rounds: Measured rounds.
        peak: The machine's peak rates with as many threads.
    """
    finished = {runtime: timing for runtime, timing in timings.items() if not timing.reason}
    work = _Work(setting.batch, network.macs * setting.batch)
    round_ms = {runtime: _round_ms(timing.wall_s) for runtime, timing in finished.items()}
    fastest = min(round_ms, key=lambda runtime: statistics.median(round_ms[runtime]), default="")
    reference = next((timing.logits for r, timing in finished.items() if r not in PEERS), [])
    results = []
    for runtime, timing in timings.items():
        result = Result(network, runtime, setting, rounds, None, timing.reason)
        if runtime in finished:
            ratio = paired_ratio(round_ms[runtime], round_ms[fastest])
            difference = None if runtime in PEERS else difference_of(timing.logits, reference)
            result = replace(
                result,
                figures=_figures(timing, ratio, difference, work, peak),
                round_ms=round_ms[runtime],
                round_cpu_ms=_round_ms(timing.cpu_s),
            )
        results.append(result)
    return results


def difference_of(logits: Sequence[float], reference: Sequence[float]) -> float:
    """Return the largest difference of two rows of logits, relative to the reference's largest."""
    largest = max(abs(logit) for logit in reference) or 1.0  # a head may start at zero
    return max(abs(a - b) for a, b in zip(logits, reference, strict=True)) / largest


@dataclass(frozen=True)
class _Work:
    """The work of one batch: images and total multiply-adds."""

    images: int
    macs: int


def _round_ms(rounds_s: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(1e3 * statistics.median(seconds) for seconds in rounds_s)


def _figures(
    timing: Timings, ratio: Ratio, difference: float | None, work: _Work, peak: Peak
) -> RuntimeFigures:
    wall_ms = [1e3 * seconds for seconds in chain.from_iterable(timing.wall_s)]
    cpu_ms = [1e3 * seconds for seconds in chain.from_iterable(timing.cpu_s)]
    low_ms, latency_ms, high_ms, p95_ms = map(float, np.quantile(wall_ms, (0.25, 0.5, 0.75, 0.95)))
    gflops = 2 * work.macs / latency_ms / 1e6
    return RuntimeFigures(
        latency_ms=latency_ms,
        low_ms=low_ms,
        high_ms=high_ms,
        p95_ms=p95_ms,
        cpu_ms=statistics.median(cpu_ms),
        images_per_second=1e3 * work.images / latency_ms,
        ratio=ratio.median,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        share_of_peak=gflops / peak.matmul_gflops,
        share_of_conv_peak=gflops / peak.conv_gflops,
        peak_memory_mib=timing.peak_memory_mib,
        difference=difference,
        runs=len(wall_ms),
    )
