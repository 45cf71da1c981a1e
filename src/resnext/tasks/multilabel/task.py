"""Multi-label classification as a task. Legend: b images, v views of an image, n all, k labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from resnext.data.loading.batch import Batch
from resnext.data.split import Split
from resnext.errors import ConfigError
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure
from resnext.tasks.multilabel.loss import batch_loss
from resnext.tasks.multilabel.result import mean_known
from resnext.tasks.multilabel.tally import MultiLabelTally
from resnext.tasks.section import ReportInput, Section
from resnext.tasks.task import Task, TaskOptions

_ROWS = {
    "mean_ap": "mAP",
    "mean_auc": "mean AUC",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "label_error": "wrong labels at 0.5",
}


class MultiLabel(Task):
    """Predicts for each label whether it applies to an image."""

    kind = task_kind("multilabel")
    losses = ("bce", "asymmetric")
    class_columns = (
        Measure("images", "images", "", digits=0),
        Measure("ap", "AP"),
        Measure("auc", "AUC"),
        Measure("f1", "F1"),
        Measure("threshold", "threshold", "", digits=3),
    )
    worst_key = "ap"

    def __init__(self, options: TaskOptions) -> None:
        """Take the options.

        Raises:
            ConfigError: Class weights are given, which need a single class per image.
        """
        super().__init__(options)
        if options.class_weights_k is not None:
            raise ConfigError(
                "class_weights and --balance need one class per image; for rare labels use --set "
                "loss=asymmetric"
            )

    def loss(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the mean loss of the known labels; see `batch_loss`."""
        return batch_loss(outputs_b, batch, self.loss_name, self.options.label_smoothing)

    def train_sum(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the sum over the images of their share of wrong known labels."""
        targets_bk = batch.targets_b
        wrong_bk = ((outputs_b > 0) != (targets_bk == 1)) & (targets_bk >= 0)
        num_known_b = (targets_bk >= 0).sum(dim=1).clamp(min=1)
        return (wrong_bk.sum(dim=1) / num_known_b).sum()

    def merge_views(self, outputs_b: torch.Tensor, num_views: int) -> torch.Tensor:
        """Return the logits of the mean probabilities."""
        logits_bk = outputs_b.to(torch.promote_types(outputs_b.dtype, torch.float32))
        if num_views == 1:
            return logits_bk
        by_image_bvk = logits_bk.double().view(-1, num_views, logits_bk.shape[1])
        return by_image_bvk.sigmoid().mean(dim=1).logit(eps=1e-12)

    def tally(self, *, full: bool) -> MultiLabelTally:
        """Return an empty tally."""
        return MultiLabelTally(self.options.thresholds, full=full)

    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the displayed metrics."""
        rows = [
            (name, f"{figures[key]:.2f} %")
            for key, name in _ROWS.items()
            if figures[key] is not None
        ]
        return [*rows, ("loss", f"{figures['loss']:.4f}")]

    def report(self, given: ReportInput) -> Section:
        """Return the labels, lowest average precision first, and the worst images."""
        from resnext.tasks.multilabel.report import report_section

        return report_section(given, super().report(given))

    def guess(self, train: Split, val: Split) -> float:
        """Return the mAP of equal scores for all images, the mean frequency of the labels."""
        del train
        shares = []
        for targets_n in val.targets_n.T:
            known = targets_n[targets_n >= 0]
            num_applying = int((known == 1).sum())
            shares.append(100.0 * num_applying / len(known) if num_applying else None)
        return mean_known(shares) or 0.0
