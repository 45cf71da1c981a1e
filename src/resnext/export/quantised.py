"""What a lower precision changes: size, time and error, measured side by side."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from resnext.data.config import DataConfig
from resnext.errors import ExportError
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol
from resnext.runs.runtime import Runtime
from resnext.runtimes.open import open_exported
from resnext.turns import take_turns

_ROUNDS = 15


@dataclass(frozen=True)
class Quantised:
    """What a lower precision changed.

    Attributes:
        num_calibration_images: Images that the ranges of int8 were found on; bf16 needs none.
        num_bytes: Of the file.
        fp32_num_bytes: Of the file in fp32.
        latency_ms: Median time of one image here, all cores, in the lower precision.
        fp32_latency_ms: The same in fp32, measured in turns.
        top1_error: On the validation split, in percent.
        fp32_top1_error: On the same images.
        num_images: Images of that split.
    """

    num_calibration_images: int
    num_bytes: int
    fp32_num_bytes: int
    latency_ms: float
    fp32_latency_ms: float
    top1_error: float
    fp32_top1_error: float
    num_images: int

    @property
    def loss(self) -> float:
        """Top-1 error that the lower precision adds, in percentage points."""
        return self.top1_error - self.fp32_top1_error


def time_both(first: Path, second: Path, batch: Any) -> tuple[float, float]:
    """Time one batch in two files, in turns: medians in milliseconds."""
    networks = [open_exported(path) for path in (first, second)]
    seconds = take_turns([partial(network.run, batch) for network in networks], _ROUNDS, warm_up=2)
    first_ms, second_ms = (1000 * statistics.median(times) for times in seconds)
    return first_ms, second_ms


def measure_error(path: Path, data: DataConfig, effort: EvaluationOptions | None) -> dict[str, Any]:
    """Evaluate an exported file on the validation split, in the precision that it says."""
    runtime = Runtime(torch.device("cpu"), torch.float32)
    return measure(path, Protocol(data=data), runtime, effort).figures


def check_loss(loss: float, max_loss: float, what: str, remedy: str) -> None:
    """Refuse a file that loses too much.

    Args:
        loss: Points of top-1 error that it adds.
        max_loss: Allowed.
        what: The file and its precision, for the message.
        remedy: What to do besides allowing the loss.

    Raises:
        ExportError: It is more.
    """
    if not loss <= max_loss:
        raise ExportError(
            f"{what} adds {loss:.2f} points to the top-1 error of the validation split, more than "
            f"{max_loss:g}; {remedy}, allow the loss (--max-loss POINTS), or export in fp32"
        )
