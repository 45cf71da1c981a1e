"""What an evaluation finds: errors, loss, calibration, confusion and the worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from resnext.tasks.classification.class_metrics import (
    ClassMetrics,
    balanced_accuracy,
    measure_classes,
)
from resnext.tasks.classification.confusion import as_json, images_per_class

_MEANS = ("macro_precision", "macro_recall", "macro_f1")


@dataclass(frozen=True)
class Mistake:
    """One wrong prediction.

    Attributes:
        index: Number of the image in its split.
        label: Its class.
        prediction: The class that the network holds for most probable.
        confidence: Probability that the network gives to its prediction, 0..1.
    """

    index: int
    label: int
    prediction: int
    confidence: float


@dataclass(frozen=True)
class ClassificationResult:
    """The figures of one evaluation; all errors are in percent.

    The fields from `confusion_kk` on are None or empty where only the cheap figures were
    asked for.

    Attributes:
        num_images: Images that were looked at.
        top1_error: Images whose most probable class is wrong.
        top5_error: Images whose label is not among the five most probable classes; None
            for five classes or fewer, where it would be 0.
        loss: Mean cross-entropy in nats.
        confusion_kk: int64 counts; rows are labels, columns predictions. A sparse tensor
            beyond `confusion.MAX_DENSE_CLASSES`.
        bins: Calibration by confidence, 3 x bins, float64: number of images, sum of
            confidences, number of right predictions. Bins have equal widths over 0..1.
        mistakes: The most confident wrong predictions, most confident first.
        class_counts_2k: Images of each class and those of them that were right, int64; also
            where only the cheap figures were asked for.
    """

    num_images: int
    top1_error: float
    top5_error: float | None
    loss: float
    confusion_kk: torch.Tensor | None = None
    bins: torch.Tensor | None = None
    mistakes: tuple[Mistake, ...] = ()
    class_counts_2k: torch.Tensor | None = None

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error in percent: how far confidence is from accuracy.

        The mean over images of |accuracy - mean confidence| of the image's bin.

        Source: Guo et al., "On calibration of modern neural networks", equation 3.
        """
        if self.bins is None:
            return None
        _, confidence, right = self.bins
        return 100.0 * float((right - confidence).abs().sum()) / self.num_images

    @property
    def per_class_error(self) -> dict[int, float]:
        """Share of each class's images that is wrong; classes without images are left out."""
        if self.confusion_kk is None:
            return {}
        totals_k, right_k = images_per_class(self.confusion_kk)
        return {
            label: 100.0 * (total - good) / total
            for label, (total, good) in enumerate(
                zip(totals_k.tolist(), right_k.tolist(), strict=True)
            )
            if total
        }

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean over the classes of the share of their images that is right, in percent."""
        counts_2k = self.class_counts_2k
        if self.confusion_kk is not None:
            return balanced_accuracy(*images_per_class(self.confusion_kk))
        return None if counts_2k is None else balanced_accuracy(counts_2k[0], counts_2k[1])

    @property
    def class_metrics(self) -> ClassMetrics | None:
        """Precision, recall and F1 of each class."""
        return None if self.confusion_kk is None else measure_classes(self.confusion_kk)

    def figures(self) -> dict[str, float | None]:
        """Return the figures of an epoch."""
        return {
            "top1_error": self.top1_error,
            "top5_error": self.top5_error,
            "loss": self.loss,
            "balanced_accuracy": self.balanced_accuracy,
        }

    def card_fields(self) -> dict[str, Any]:
        """Return nothing: the classes say all."""
        return {}

    def as_dict(self, classes: Sequence[str] = ()) -> dict[str, Any]:
        """Return the figures as JSON values.

        Args:
            classes: Class names in the order of the labels; by default their numbers.
        """
        num_classes = 0 if self.confusion_kk is None else len(self.confusion_kk)
        names = classes or [str(label) for label in range(num_classes)]
        by_class = self.class_metrics
        means: dict[str, float | None] = dict.fromkeys(_MEANS)
        return {
            "num_images": self.num_images,
            "top1_error": self.top1_error,
            "top5_error": self.top5_error,
            "loss": self.loss,
            "calibration_error": self.calibration_error,
            "balanced_accuracy": self.balanced_accuracy,
            **(means if by_class is None else by_class.macro()),
            "per_class": {} if by_class is None else by_class.as_dict(names),
            "per_class_error": {names[k]: error for k, error in self.per_class_error.items()},
            "confusion": None if self.confusion_kk is None else as_json(self.confusion_kk),
        }
