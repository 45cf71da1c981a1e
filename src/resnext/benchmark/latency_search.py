"""Finds the design whose measured latency is closest to a target.

The search starts at the design of equal multiply-adds and measures a few others far below and above
it. It then measures between the two that enclose the target, or further out if none do. Each round
measures all candidates again in turns, so that the final results are comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnext.benchmark.latency import Latency, LatencySetup, measure_latencies
from resnext.complexity.budget import Budget
from resnext.complexity.family import Family
from resnext.complexity.solve import closest_number
from resnext.model.config import ResNeXtConfig

# Shares of the number of equal multiply-adds: grouped convolutions are slower than their count
# says, so more of the candidates lie below it.
_FIRST = (0.35, 0.6, 0.8, 1.0, 1.3)
_MAX_CANDIDATES = 9
_MAX_AT_ONCE = 2  # then the two around the target are searched again


@dataclass(frozen=True)
class LatencySearch:
    """The measured designs of one family.

    Attributes:
        reference: The measured network whose latency is matched.
        factor: Multiple of that latency to match.
        numbers: The candidates' numbers in the family, such as widths, in increasing order.
        candidates: Networks and their latencies, in the same order.
    """

    reference: Latency
    factor: float
    numbers: tuple[int, ...]
    candidates: tuple[tuple[ResNeXtConfig, Latency], ...]

    @property
    def target_ms(self) -> float:
        """The target latency."""
        return self.factor * self.reference.median_ms

    @property
    def closest(self) -> int:
        """Return the index of the candidate whose median is closest to the target."""
        distances = [abs(latency.median_ms - self.target_ms) for _, latency in self.candidates]
        return distances.index(min(distances))

    @property
    def is_outside(self) -> bool:
        """Whether the target is outside the measured range, so that a closer design may exist."""
        medians = [latency.median_ms for _, latency in self.candidates]
        return not min(medians) <= self.target_ms <= max(medians)

    @property
    def rivals(self) -> list[int]:
        """Return the candidates whose quartiles overlap with those of the target."""
        low, high = (
            self.factor * bound for bound in (self.reference.low_ms, self.reference.high_ms)
        )
        return [
            number
            for number, (_, latency) in enumerate(self.candidates)
            if latency.low_ms <= high and latency.high_ms >= low
        ]

    @property
    def enclosing(self) -> tuple[int, int] | None:
        """Return the two closest candidates that enclose the target."""
        over = [latency.median_ms - self.target_ms for _, latency in self.candidates]
        pairs = [(n, n + 1) for n in range(len(over) - 1) if over[n] * over[n + 1] <= 0]
        return min(pairs, key=lambda pair: min(abs(over[n]) for n in pair), default=None)

    @property
    def has_gap(self) -> bool:
        """Whether designs between the two that enclose the target were not measured."""
        if self.enclosing is None:
            return False
        below, above = (self.numbers[n] for n in self.enclosing)
        return above - below > 1


def search_latency(
    like: ResNeXtConfig,
    family: Family,
    setup: LatencySetup,
    *,
    factor: float = 1.0,
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> LatencySearch:
    """Measure up to nine designs of a family around the one of equal multiply-adds.

    Args:
        like: The network whose latency is matched.
        family: The designs, by number.
        setup: How to measure.
        factor: Multiple of the latency to match.
        cache: File of earlier measurements.
        progress: Called with progress messages.

    Raises:
        ConfigError: The runtime is missing, or a design is not possible.
    """
    start = closest_number(family, Budget.like(like, "macs", "network", setup.input_size, factor))
    numbers = sorted({max(1, round(share * start)) for share in _FIRST})
    prepared: dict[str, Callable[[], Any]] = {}
    while True:
        configs = [family(number) for number in numbers]
        reference, *found = measure_latencies(
            [like, *configs], setup, cache=cache, prepared=prepared, progress=progress
        )
        candidates = tuple(zip(configs, found, strict=True))
        search = LatencySearch(reference, factor, tuple(numbers), candidates)
        more = _next_numbers(search, _MAX_CANDIDATES - len(numbers))
        if not more:
            return search
        numbers = sorted({*numbers, *more})


def _next_numbers(search: LatencySearch, room: int) -> Sequence[int]:
    """Choose what to measure next: between the two around the target, or further out."""
    pair = search.enclosing
    numbers = search.numbers
    if pair is not None:
        below, above = (numbers[n] for n in pair)
        count = min(room, _MAX_AT_ONCE, above - below - 1)
        return [below + (above - below) * n // (count + 1) for n in range(1, count + 1)]
    slowest = max(latency.median_ms for _, latency in search.candidates)
    further = (2, 4) if slowest < search.target_ms else (0.5, 0.25)
    end = numbers[-1] if slowest < search.target_ms else numbers[0]
    outer = {max(1, round(share * end)) for share in further[:room]}
    return sorted(outer - set(numbers))
