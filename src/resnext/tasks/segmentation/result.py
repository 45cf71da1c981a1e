"""The result of evaluating masks: all metrics come from one confusion matrix of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WrongImage:
    """An image with many wrong pixels.

    Attributes:
        index: Its number in the split.
        error: Share of wrong pixels, in percent.
        mask_hw: The predicted class of each pixel, uint8.
    """

    index: int
    error: float
    mask_hw: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """The metrics of one evaluation; all but the loss are in percent.

    Pixels without a class are ignored.

    Attributes:
        num_images: Number of evaluated images.
        loss: Mean over the images of the mean cross-entropy of their pixels.
        confusion_kk: Pixels; rows are classes, columns predictions.
        worst: The images with the largest share of wrong pixels, the worst first.
    """

    num_images: int
    loss: float
    confusion_kk: Counts
    worst: tuple[WrongImage, ...] = ()

    @property
    def ious(self) -> list[float | None]:
        """Intersection over union of each class; None if it neither occurs nor is predicted."""
        right_k = np.diagonal(self.confusion_kk)
        unions_k = self.confusion_kk.sum(axis=0) + self.confusion_kk.sum(axis=1) - right_k
        return _shares(right_k, unions_k)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that occur or are predicted."""
        known = [iou for iou in self.ious if iou is not None]
        return sum(known) / len(known) if known else 0.0

    @property
    def pixel_accuracy(self) -> float:
        """Share of correct pixels."""
        total = int(self.confusion_kk.sum())
        return 100.0 * int(np.trace(self.confusion_kk)) / total if total else 0.0

    def figures(self) -> dict[str, float | None]:
        """Return the figures of an epoch."""
        return {
            "mean_iou": self.mean_iou,
            "pixel_accuracy": self.pixel_accuracy,
            "pixel_error": 100.0 - self.pixel_accuracy,
            "loss": self.loss,
        }

    def card_fields(self) -> dict[str, Any]:
        """Return nothing: the classes say all."""
        return {}

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return all figures as JSON values.

        Args:
            classes: Names of the classes.
        """
        pixels_k = self.confusion_kk.sum(axis=1)
        total = max(int(pixels_k.sum()), 1)
        accuracies = _shares(np.diagonal(self.confusion_kk), pixels_k)
        known = [accuracy for accuracy in accuracies if accuracy is not None]
        by_class = zip(
            classes,
            self.ious,
            accuracies,
            _shares(np.diagonal(self.confusion_kk), self.confusion_kk.sum(axis=0)),
            (100.0 * pixels_k / total).tolist(),
            strict=True,
        )
        return {
            "num_images": self.num_images,
            **self.figures(),
            "mean_accuracy": sum(known) / len(known) if known else None,
            "per_class": {
                name: {"iou": iou, "accuracy": accuracy, "precision": precision, "share": share}
                for name, iou, accuracy, precision, share in by_class
            },
            "confusion": self.confusion_kk.tolist(),
        }


def _shares(parts_k: Counts, wholes_k: Counts) -> list[float | None]:
    pairs = zip(parts_k.tolist(), wholes_k.tolist(), strict=True)
    return [100.0 * part / whole if whole else None for part, whole in pairs]
