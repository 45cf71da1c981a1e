"""Tasks as tests need them."""

import torch

from resnext.tasks.classification.task import Classification
from resnext.tasks.task import TaskOptions


def classifier(
    num_classes: int, label_smoothing: float = 0.0, class_weights_k: torch.Tensor | None = None
) -> Classification:
    """Return the task of choosing one of so many classes, which are called by their numbers."""
    classes = tuple(map(str, range(num_classes)))
    return Classification(
        TaskOptions(classes, label_smoothing=label_smoothing, class_weights_k=class_weights_k)
    )
