"""What a design costs in time, as it was measured and is kept beside a study's report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from resnext.training.run_folder import write_json

TIMING = "timing.json"


@dataclass(frozen=True)
class DesignTime:
    """Milliseconds of one design: medians, with the quartiles over the rounds.

    Attributes:
        label: Label of the design.
        step_ms: One training step on a batch, in the precision of training.
        latency_ms: Inference on one image, in fp32.
        batch_size: Images of the training step.
        image_size_px: Side of the images.
        threads: CPU threads.
        machine: Processor or GPU.
        n: Rounds.
    """

    label: str
    step_ms: float
    step_ms_low: float
    step_ms_high: float
    latency_ms: float
    latency_ms_low: float
    latency_ms_high: float
    batch_size: int
    image_size_px: int
    threads: int
    machine: str
    n: int


def write_timing(folder: Path, times: list[DesignTime]) -> Path:
    """Keep the times beside the study's report."""
    rows: list[Any] = [asdict(row) for row in times]
    write_json(folder / TIMING, rows, is_shared=True)
    return folder / TIMING


def read_timing(folder: Path) -> list[DesignTime]:
    """Return the times that were measured, if any."""
    file = folder / TIMING
    if not file.exists():
        return []
    return [DesignTime(**row) for row in json.loads(file.read_text(encoding="utf-8"))]
