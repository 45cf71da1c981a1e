"""What an evaluation of masks finds: all figures come from one confusion matrix of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WrongImage:
    """An image that the network judges worse than others.

    Attributes:
        index: Its number in the split.
        error: Share of its pixels that is wrong, in percent.
        mask_hw: The class that the network gives each pixel, uint8.
    """

    index: int
    error: float
    mask_hw: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """The figures of one evaluation; all but the loss are in percent.

    Pixels without a class count nowhere.

    Attributes:
        num_images: Images that were looked at.
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
        """Intersection over union of each class; None where it is neither there nor predicted."""
        right_k = np.diagonal(self.confusion_kk)
        unions_k = self.confusion_kk.sum(axis=0) + self.confusion_kk.sum(axis=1) - right_k
        return _shares(right_k, unions_k)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes that are there or predicted."""
        known = [iou for iou in self.ious if iou is not None]
        return sum(known) / len(known) if known else 0.0

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels whose class is right."""
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
