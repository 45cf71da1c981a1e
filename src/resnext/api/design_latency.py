"""Finds designs with a given latency, measured on this machine."""

from __future__ import annotations

from collections.abc import Callable

from resnext.api.design_request import DesignRequest, families_of, network_of, side_of
from resnext.benchmark.latency import LatencySetup
from resnext.benchmark.latency_search import LatencySearch, search_latency
from resnext.cache import cache_folder


def setup_of(request: DesignRequest) -> LatencySetup:
    """Return the measurement settings."""
    return LatencySetup(
        request.runtime or "eager",
        side_of(request),
        request.batch_size or 1,
        request.threads or 1,
        request.repeats or 15,
        request.device or "cpu",
        request.precision or "fp32",
    )


def search_designs(
    request: DesignRequest, progress: Callable[[str], None] = lambda _: None
) -> list[LatencySearch]:
    """Search each family for the design of a network's latency.

    Args:
        request: The request.
        progress: Called with a message for each measurement.

    Raises:
        ConfigError: The runtime is not installed, or the cache cannot be written.
    """
    like = network_of(request.like, request)
    base = network_of(request.base or request.like, request)
    setup = setup_of(request)
    cache = None if request.no_cache else cache_folder("latency") / "measured.json"
    return [
        search_latency(like, family, setup, factor=request.factor, cache=cache, progress=progress)
        for family in families_of(base, request)
    ]
