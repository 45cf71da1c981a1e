"""Measurements as plain values, for JSON and CSV."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from resnext._version import __version__
from resnext.benchmark.benchmark import BenchmarkReport
from resnext.benchmark.result import Result, RuntimeFigures
from resnext.complexity.count import count
from resnext.untrusted.text import csv_table

_NAMES = [field.name for field in fields(RuntimeFigures)]


def row_of(result: Result) -> dict[str, Any]:
    """Return a contestant's measurements by name; None for one that failed."""
    network = result.network
    figures = asdict(result.figures) if result.figures else dict.fromkeys(_NAMES)
    return {
        "network": network.label,
        "runtime": result.runtime,
        "batch": result.setting.batch,
        "threads": result.setting.threads,
        "size_px": network.size_px,
        "macs": network.macs,
        "parameters": count(network.config, network.shape).parameters,
        "top1_error": network.top1_error,
        **figures,
        "rounds": result.rounds,
        "reason": result.reason,
    }


def as_json(benchmark: BenchmarkReport) -> str:
    """Return all measurements, the times of every round, the machine and its peak rates."""
    values = {
        "machine": benchmark.machine,
        "precision": benchmark.precision,
        "clocks": list(benchmark.clocks),
        "version": __version__,
        "peaks": [asdict(peak) for peak in benchmark.peaks],
        "results": [
            row_of(result)
            | {"round_ms": list(result.round_ms), "round_cpu_ms": list(result.round_cpu_ms)}
            for result in benchmark.results
        ],
    }
    return json.dumps(values, indent=2)


def as_csv(benchmark: BenchmarkReport) -> str:
    """Return one line per contestant, with a header."""
    return csv_table([row_of(result) for result in benchmark.results])
