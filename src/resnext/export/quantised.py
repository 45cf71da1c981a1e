"""Measures the changes by a lower precision: size, time and error."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, fields
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
from resnext.tasks.measure import Measure
from resnext.turns import take_turns

_ROUNDS = 15


@dataclass(frozen=True)
class Quantised:
    """The changes by a lower precision.

    Attributes:
        num_calibration_images: Number of images for int8 calibration; 0 for bf16.
        num_bytes: Size of the file.
        fp32_num_bytes: Size of the file in fp32.
        latency_ms: Median time for one image on this machine, all cores, in the lower precision.
        fp32_latency_ms: The same in fp32, measured alternately.
        measure: The measure of the network's task, such as the top-1 error.
        value: Its value on the validation split.
        fp32_value: Its value in fp32 on the same images.
        num_images: Number of images in that split.
    """

    num_calibration_images: int
    num_bytes: int
    fp32_num_bytes: int
    latency_ms: float
    fp32_latency_ms: float
    measure: Measure
    value: float
    fp32_value: float
    num_images: int

    @property
    def loss(self) -> float:
        """How much worse the measure is in the lower precision, in its unit."""
        return self.measure.cost(self.value) - self.measure.cost(self.fp32_value)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, with the measure under its name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        key = values.pop("measure").key
        both = {key: values.pop("value"), f"fp32_{key}": values.pop("fp32_value")}
        return {**values, **both, "loss": self.loss}


def time_both(first: Path, second: Path, batch: Any) -> tuple[float, float]:
    """Time one batch in two files alternately: medians in milliseconds."""
    networks = [open_exported(path) for path in (first, second)]
    seconds = take_turns([partial(network.run, batch) for network in networks], _ROUNDS, warm_up=2)
    first_ms, second_ms = (1000 * statistics.median(times) for times in seconds)
    return first_ms, second_ms


def measure_error(path: Path, data: DataConfig, effort: EvaluationOptions | None) -> dict[str, Any]:
    """Evaluate an exported file on the validation split, in its precision."""
    runtime = Runtime(torch.device("cpu"), torch.float32)
    return measure(path, Protocol(data=data), runtime, effort).figures


def check_loss(figures: Quantised, max_loss: float, what: str, remedy: str) -> None:
    """Refuse a file that loses too much accuracy.

    Args:
        figures: The changes by the lower precision.
        max_loss: Allowed loss.
        what: The file and its precision, for the message.
        remedy: An alternative to allowing the loss, for the message.

    Raises:
        ExportError: The loss is larger.
    """
    if not figures.loss <= max_loss:
        raise ExportError(
            f"{what} makes the {figures.measure.label} of the validation split worse by "
            f"{figures.loss:.2f} points, more than {max_loss:g}; {remedy}, allow the loss "
            "(--max-loss POINTS), or export in fp32"
        )
