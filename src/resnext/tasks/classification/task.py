"""Classification as a task. Legend: b images, v views of an image, k classes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from resnext.data.loading.batch import Batch
from resnext.data.split import Split
from resnext.data.targets import count_per_class, guess_largest
from resnext.tasks.classification.loss import batch_loss
from resnext.tasks.classification.tally import ClassificationTally
from resnext.tasks.kinds import DEFAULT_TASK, task_kind
from resnext.tasks.measure import Measure
from resnext.tasks.section import ReportInput, Section
from resnext.tasks.task import Task

_ROWS = {
    "top1_error": "top-1 error",
    "top5_error": "top-5 error",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "calibration_error": "calibration error",
}


class Classification(Task):
    """Chooses one class for each image."""

    kind = task_kind(DEFAULT_TASK)
    losses = ("cross_entropy",)
    class_columns = (
        Measure("images", "images", "", digits=0),
        Measure("precision", "precision"),
        Measure("recall", "recall"),
        Measure("f1", "F1"),
    )
    worst_key = "f1"

    def loss(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the mean cross-entropy; see `batch_loss`."""
        options = self.options
        return batch_loss(outputs_b, batch, options.label_smoothing, options.class_weights_k)

    def train_sum(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Count the images whose own label is not the highest score."""
        return (outputs_b.argmax(dim=1) != batch.targets_b).sum()

    def merge_views(self, outputs_b: torch.Tensor, num_views: int) -> torch.Tensor:
        """Return the logarithms of the mean probabilities; see `average_views`."""
        return average_views(outputs_b, num_views)

    def tally(self, *, full: bool) -> ClassificationTally:
        """Return an empty tally; a full one also counts confusion, calibration and mistakes."""
        return ClassificationTally(len(self.options.classes), full=full)

    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return errors, means over the classes, loss and calibration for people."""
        loss = figures["loss"]
        rows = [
            (name, f"{figures[key]:.2f} %")
            for key, name in _ROWS.items()
            if figures.get(key) is not None
        ]
        return [*rows, ("loss", "–" if loss is None else f"{loss:.4f}")]  # noqa: RUF001 - a dash, shown

    def report(self, given: ReportInput) -> Section:
        """Return confusion, errors by class, calibration and the worst mistakes."""
        from resnext.tasks.classification.report import report_section

        return report_section(given)

    def guess(self, train: Split, val: Split) -> float:
        """Return the error in percent of always predicting the largest training class."""
        num_classes = len(self.options.classes)
        counts = (count_per_class(split.targets_n, num_classes) for split in (train, val))
        return guess_largest(*counts)[1]


def average_views(logits_bk: torch.Tensor, num_views: int) -> torch.Tensor:
    """Average the class probabilities of each image's views.

    The released Torch code adds the raw outputs of the ten crops instead; probabilities
    are what the other publications average (AlexNet, section 4.1), they weigh every view
    alike, and the result can still be read as a probability.

    Args:
        logits_bk: Raw outputs, b·v x k, the views of one image together.
        num_views: Views of each image.

    Returns:
        Logarithms of the mean probabilities, b x k, float32 or wider.
    """
    wide = torch.promote_types(logits_bk.dtype, torch.float32)
    log_probs_bk = logits_bk.to(wide).log_softmax(dim=1)
    if num_views == 1:
        return log_probs_bk
    by_image_bvk = log_probs_bk.view(-1, num_views, log_probs_bk.shape[1])
    return by_image_bvk.logsumexp(dim=1) - math.log(num_views)
