"""Compares a published weight file with its published error or, of a detector, AP."""

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
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure
from resnext.weights.entry import WeightsEntry

_OWN_DATA = {"cifar10": "cifar10", "cifar100": "cifar100"}
_SIZE = {
    "imagenet1k": 50_000,
    "cifar10": 10_000,
    "cifar100": 10_000,
    "svhn": 26_032,
    "coco90": 5_000,
}
_ADVICE = {
    "classification": "--data imagenet:DIR, where DIR has a folder val with one folder per class",
    "detection": "--data coco:DIR, where DIR has the folder val2017 and the file "
    "annotations/instances_val2017.json",
}


@dataclass(frozen=True)
class Verified:
    """The measured and the published error, or AP of a detector.

    Attributes:
        entry: The weights.
        figures: The evaluation, as `resnext evaluate --json` gives it.
    """

    entry: WeightsEntry
    figures: dict[str, Any]

    @property
    def measure(self) -> Measure:
        """What is compared."""
        return task_kind(self.entry.task).measure

    @property
    def published(self) -> float | None:
        """The published value in percent."""
        return self.entry.box_ap if self._finds_objects else self.entry.top1_error

    @property
    def difference(self) -> float | None:
        """Measured value minus the published one, in percentage points."""
        value = self.figures[self.measure.key]
        return None if self.published is None or value is None else value - self.published

    @property
    def sampling_error(self) -> float | None:
        """Standard error in percentage points due to the number of images; None of an AP."""
        if self._finds_objects:
            return None
        share = self.figures["top1_error"] / 100
        return 100 * math.sqrt(share * (1 - share) / self.figures["num_images"])

    @property
    def is_whole_set(self) -> bool:
        """Whether as many images were evaluated as for the published error."""
        return bool(self.figures["num_images"] == _SIZE[self.entry.classes])

    @property
    def verdict(self) -> str:
        """The comparison in a sentence."""
        measure, value = self.measure, self.figures[self.measure.key]
        written = "not measured" if value is None else measure.write(value)
        text = (
            f"{self.entry.name}: {measure.label} {written} on {self.figures['num_images']:,} images"
        )
        if self.published is None:
            return f"{text}; no {self._word} was published"
        text += f", published {measure.write(self.published)} ({self.entry.published_at})"
        if self.difference is None:
            return text
        text += f": {self.difference:+.2f} points{self._masks}"
        if self.is_whole_set:
            return text
        text += f"; the published {self._word} is for {_SIZE[self.entry.classes]:,} images"
        if (error := self.sampling_error) is None:
            return text
        return f"{text}, and a set of this size has a standard error of {error:.2f} points"

    @property
    def _finds_objects(self) -> bool:
        return self.entry.task == "detection"

    @property
    def _word(self) -> str:
        return "AP" if self._finds_objects else "error"

    @property
    def _published(self) -> dict[str, float | None]:
        if not self._finds_objects:
            return {"top1_error": self.entry.top1_error}
        return {"box_ap": self.entry.box_ap, "mask_ap": self.entry.mask_ap}

    @property
    def _masks(self) -> str:
        value = self.figures.get("mask_ap")
        if self.entry.mask_ap is None or value is None:
            return ""
        return f"; of masks {value:.1f} %, published {self.entry.mask_ap:.1f} %"

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            **self.figures,
            "name": self.entry.name,
            **{f"published_{name}": value for name, value in self._published.items()},
            "difference": self.difference,
            "sampling_error": self.sampling_error,
        }


def verify_entry(
    entry: WeightsEntry,
    data: DataConfig | None,
    runtime: Runtime,
    effort: EvaluationOptions | None = None,
) -> Verified:
    """Evaluate an entry like its publisher; a classifier chooses among all its classes.

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
            raise ConfigError(f"{entry.name}: give its validation images: {_ADVICE[entry.task]}")
        data = DataConfig(name=_OWN_DATA[entry.classes])
    protocol = Protocol(data=data, all_classes=entry.task == "classification")
    evaluation = measure(Path(entry.name), protocol, runtime, effort)
    return Verified(entry, evaluation.figures)
