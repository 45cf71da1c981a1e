"""Measured times of designs, stored next to a study's report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from resnext.errors import RunError
from resnext.runs.folder import write_json
from resnext.studies.records.stored import Count, Positive, ShortText, read_stored

TIMING = "timing.json"


@dataclass(frozen=True)
class DesignTime:
    """Times of one design in milliseconds: medians, with quartiles over the rounds.

    Attributes:
        label: Label of the design.
        step_ms: One training step on a batch, in the precision of training.
        latency_ms: Inference on one image, in fp32.
        batch_size: Images of the training step.
        image_size_px: Side of the images.
        threads: CPU threads.
        machine: Processor or GPU.
        n: Number of rounds.
        inputs: What they were measured on, where it was no images, such as `series of 1 x 150`.
    """

    label: ShortText
    step_ms: Positive
    step_ms_low: Positive
    step_ms_high: Positive
    latency_ms: Positive
    latency_ms_low: Positive
    latency_ms_high: Positive
    batch_size: Count
    image_size_px: Count
    threads: Count
    machine: ShortText
    n: Count
    inputs: ShortText = ""

    @property
    def batch(self) -> str:
        """The batch of the step in words, such as `32 images of 224 px`."""
        return f"{self.batch_size} {self.inputs or f'images of {self.image_size_px} px'}"

    @property
    def one(self) -> str:
        """One of the inputs in words."""
        return "one of them" if self.inputs else "one image"


def write_timing(folder: Path, times: list[DesignTime]) -> Path:
    """Write the times next to the study's report."""
    rows: list[Any] = [asdict(row) for row in times]
    write_json(folder / TIMING, rows, is_shared=True)
    return folder / TIMING


def read_timing(folder: Path) -> list[DesignTime]:
    """Return the measured times, if any.

    Raises:
        RunError: The file is damaged.
    """
    times = read_stored(folder / TIMING, list[DesignTime]) or []
    for row in times:
        steps = (row.step_ms_low, row.step_ms, row.step_ms_high)
        latencies = (row.latency_ms_low, row.latency_ms, row.latency_ms_high)
        if list(steps) != sorted(steps) or list(latencies) != sorted(latencies):
            raise RunError(f"{folder / TIMING} is damaged: a median is outside its quartiles")
    return times
