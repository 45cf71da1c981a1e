"""The width whose measured latency comes closest: every candidate is measured, none is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.complexity.budget import Budget
from resnext.complexity.latency import Latency, LatencySetup, measure_latencies
from resnext.complexity.solve import solve_width
from resnext.model.config import ResNeXtConfig

# Shares of the width of equal multiply-adds: grouped convolutions are slower than their count
# says, so more of the candidates lie below it.
_CANDIDATES = (0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.15, 1.35)


@dataclass(frozen=True)
class LatencySearch:
    """What was measured for one cardinality.

    Attributes:
        reference: The network whose latency is to be met, as measured.
        target_ms: That latency, times the factor.
        candidates: Networks and their latencies, by rising width.
        closest: Index of the candidate whose median is closest to the target.
    """

    reference: Latency
    target_ms: float
    candidates: tuple[tuple[ResNeXtConfig, Latency], ...]
    closest: int

    @property
    def is_outside(self) -> bool:
        """The target lies outside of what was measured, so a closer width may exist."""
        medians = [latency.median_ms for _, latency in self.candidates]
        return not min(medians) <= self.target_ms <= max(medians)

    @property
    def rivals(self) -> list[int]:
        """Return the candidates that the spread does not tell from the target."""
        return [
            number
            for number, (_, latency) in enumerate(self.candidates)
            if latency.low_ms <= self.target_ms <= latency.high_ms
        ]


def search_width(
    like: ResNeXtConfig,
    base: ResNeXtConfig,
    cardinality: int,
    setup: LatencySetup,
    *,
    factor: float = 1.0,
    cache: Path | None = None,
) -> LatencySearch:
    """Measure widths around the one of equal multiply-adds.

    Args:
        like: The network whose latency is to be met.
        base: The network to vary.
        cardinality: C of the candidates.
        setup: How to measure.
        factor: Share of the latency to meet.
        cache: File of what was measured before.

    Raises:
        ConfigError: The cardinality does not suit the block, or the runtime is missing.
    """
    budget = Budget.like(like, "macs", "network", setup.input_size, factor)
    middle = solve_width(base, cardinality, budget).config.bottleneck_width
    widths = sorted({max(1, round(share * middle)) for share in _CANDIDATES})
    configs = [base.replace(cardinality=cardinality, bottleneck_width=width) for width in widths]
    reference, *found = measure_latencies([like, *configs], setup, cache=cache)
    target_ms = factor * reference.median_ms
    closest = min(range(len(found)), key=lambda n: abs(found[n].median_ms - target_ms))
    return LatencySearch(reference, target_ms, tuple(zip(configs, found, strict=True)), closest)
