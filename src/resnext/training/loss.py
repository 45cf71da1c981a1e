"""The loss of one batch: cross-entropy with label smoothing and mixed labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from resnext.data.batch import Batch


def batch_loss(logits_bk: torch.Tensor, batch: Batch, label_smoothing: float) -> torch.Tensor:
    """Average the cross-entropy of a batch.

    Where images were mixed, the loss is the mixture of the losses of both labels.

    Args:
        logits_bk: Scores of k classes for b images.
        batch: Labels, and the shares of mixed ones.
        label_smoothing: Share of the label spread evenly over all classes.

    Returns:
        A scalar.
    """
    logits_bk = logits_bk.float()
    if batch.other_labels_b is None or batch.kept_b is None:
        return F.cross_entropy(logits_bk, batch.labels_b, label_smoothing=label_smoothing)
    own, other = (
        F.cross_entropy(logits_bk, labels, label_smoothing=label_smoothing, reduction="none")
        for labels in (batch.labels_b, batch.other_labels_b)
    )
    return (batch.kept_b * own + (1.0 - batch.kept_b) * other).mean()
