"""Precision, recall and F1 of each class, and their means over the classes. Legend: k classes.

If most images belong to a few classes, the plain error says little about the others. These means
weight every class equally. Definitions and edge cases are scikit-learn's, with `zero_division=0`;
all figures are in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from resnext.tasks.classification.confusion import filled_cells, images_per_class


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of each class, as float64 tensors of k values in percent.

    Attributes:
        images_k: Images of the class, int64.
        predictions_k: Images predicted as the class, int64.
        precision_k: Share of those that are correct; 0 for a class that is never predicted.
        recall_k: Share of the class's images that are correct; 0 for a class without images.
        f1_k: Harmonic mean of precision and recall.
    """

    images_k: torch.Tensor
    predictions_k: torch.Tensor
    precision_k: torch.Tensor
    recall_k: torch.Tensor
    f1_k: torch.Tensor

    @property
    def occurring(self) -> list[int]:
        """The classes that some image has as its label or its prediction."""
        found: list[int] = (self.images_k + self.predictions_k).nonzero().flatten().tolist()
        return found

    def macro(self) -> dict[str, float]:
        """Return the means of precision, recall and F1 over the classes that occur."""
        occurring = self.occurring
        return {
            f"macro_{name}": float(values_k[occurring].mean()) if occurring else 0.0
            for name, values_k in self._columns().items()
        }

    def as_dict(self, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the figures of each class that occurs, as JSON values by its name."""
        columns = {name: values_k.tolist() for name, values_k in self._columns().items()}
        images = self.images_k.tolist()
        return {
            classes[k]: {name: values[k] for name, values in columns.items()}
            | {"images": images[k]}
            for k in self.occurring
        }

    def _columns(self) -> dict[str, torch.Tensor]:
        return {"precision": self.precision_k, "recall": self.recall_k, "f1": self.f1_k}


def measure_classes(confusion_kk: torch.Tensor) -> ClassMetrics:
    """Compute the figures of each class from counts; rows are labels, columns predictions."""
    images_k, right_k = images_per_class(confusion_kk)
    _, predictions_c, counts_c = filled_cells(confusion_kk)
    predictions_k = torch.zeros_like(images_k).scatter_add(0, predictions_c, counts_c)
    return ClassMetrics(
        images_k,
        predictions_k,
        precision_k=_percent(right_k, predictions_k),
        recall_k=_percent(right_k, images_k),
        f1_k=_percent(2 * right_k, images_k + predictions_k),
    )


def balanced_accuracy(images_k: torch.Tensor, right_k: torch.Tensor) -> float:
    """Return the mean recall, in percent, of the classes that have images.

    Args:
        images_k: Images of each class.
        right_k: Correct images of each class.
    """
    has_images_k = images_k > 0
    if not bool(has_images_k.any()):
        return 0.0
    return float(_percent(right_k[has_images_k], images_k[has_images_k]).mean())


def _percent(part_k: torch.Tensor, whole_k: torch.Tensor) -> torch.Tensor:
    """Divide counts; 0 / 0 is 0."""
    return 100.0 * part_k.double() / whole_k.clamp(min=1).double()
