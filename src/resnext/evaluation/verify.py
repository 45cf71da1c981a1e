"""Compares a published weight file with its published error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol
from resnext.runs.runtime import Runtime
from resnext.weights.entry import WeightsEntry

_OWN_DATA = {"cifar10": "cifar10", "cifar100": "cifar100"}
_SIZE = {"imagenet1k": 50_000, "cifar10": 10_000, "cifar100": 10_000, "svhn": 26_032}


@dataclass(frozen=True)
class Verified:
    """The measured and the published error.

    Attributes:
        entry: The weights.
        figures: The evaluation, as `resnext evaluate --json` gives it.
    """

    entry: WeightsEntry
    figures: dict[str, Any]

    @property
    def difference(self) -> float | None:
        """Measured top-1 error minus the published one, in percentage points."""
        published = self.entry.top1_error
        return None if published is None else self.figures["top1_error"] - published

    @property
    def sampling_error(self) -> float:
        """Standard error in percentage points due to the number of images."""
        share = self.figures["top1_error"] / 100
        return 100 * math.sqrt(share * (1 - share) / self.figures["num_images"])

    @property
    def is_whole_set(self) -> bool:
        """Whether as many images were evaluated as for the published error."""
        return bool(self.figures["num_images"] == _SIZE[self.entry.classes])

    @property
    def verdict(self) -> str:
        """The comparison in a sentence."""
        measured = (
            f"{self.entry.name}: top-1 error {self.figures['top1_error']:.2f} % on "
            f"{self.figures['num_images']:,} images"
        )
        if self.difference is None:
            return f"{measured}; no error was published"
        text = (
            f"{measured}, published {self.entry.top1_error:.2f} % ({self.entry.published_at}): "
            f"{self.difference:+.2f} points"
        )
        if self.is_whole_set:
            return text
        return (
            f"{text}; the published error is for {_SIZE[self.entry.classes]:,} images, and a set "
            f"of this size has a standard error of {self.sampling_error:.2f} points"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            **self.figures,
            "name": self.entry.name,
            "published_top1_error": self.entry.top1_error,
            "difference": self.difference,
            "sampling_error": self.sampling_error,
        }


def verify_entry(
    entry: WeightsEntry,
    data: DataConfig | None,
    runtime: Runtime,
    effort: EvaluationOptions | None = None,
) -> Verified:
    """Evaluate an entry like its publisher, predicting among all its classes.

    Args:
        entry: The entry, whose file has been downloaded.
        data: The validation images; None uses the entry's own data set if it is a small one.
        runtime: Device, precision and processes.
        effort: Batch size and workers.

    Raises:
        ConfigError: A data set must be given.
        ResNeXtError: Weights or data are missing or damaged.
    """
    if data is None:
        if entry.classes not in _OWN_DATA:
            raise ConfigError(
                f"{entry.name}: give its validation images: --data imagenet:DIR, where DIR has a "
                "folder val with one folder per class"
            )
        data = DataConfig(name=_OWN_DATA[entry.classes])
    evaluation = measure(Path(entry.name), Protocol(data=data, all_classes=True), runtime, effort)
    return Verified(entry, evaluation.figures)
