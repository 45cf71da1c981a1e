"""The loss of one batch: cross-entropy with label smoothing, mixed labels and class weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from resnext.data.loading.batch import Batch


def batch_loss(
    logits_bk: torch.Tensor,
    batch: Batch,
    label_smoothing: float,
    class_weights_k: torch.Tensor | None = None,
) -> torch.Tensor:
    """Average the cross-entropy of a batch.

    Where images were mixed, the loss is the mixture of the losses of both labels.

    The weight of a class multiplies the loss of each of its images, smoothed labels included: an
    image of weight 2 counts like two copies of it. torch's own `weight` multiplies each term of
    a smoothed label by another weight instead, which shifts the label itself. The sum is divided
    by the number of images, not by the sum of their weights, so that the parts of an accumulated
    batch and the shares of several processes add up to the loss of the whole batch.

    Args:
        logits_bk: Scores of k classes for b images.
        batch: Labels, and the shares of mixed ones.
        label_smoothing: Share of the label spread evenly over all classes.
        class_weights_k: Weight of each class, float32; None weighs all alike.

    Returns:
        A scalar.
    """
    logits_bk = logits_bk.float()
    if batch.other_targets_b is None or batch.kept_b is None:
        if class_weights_k is None:
            return F.cross_entropy(logits_bk, batch.targets_b, label_smoothing=label_smoothing)
        return _losses(logits_bk, batch.targets_b, label_smoothing, class_weights_k).mean()
    own, other = (
        _losses(logits_bk, targets_b, label_smoothing, class_weights_k)
        for targets_b in (batch.targets_b, batch.other_targets_b)
    )
    return (batch.kept_b * own + (1.0 - batch.kept_b) * other).mean()


def _losses(
    logits_bk: torch.Tensor,
    targets_b: torch.Tensor,
    label_smoothing: float,
    class_weights_k: torch.Tensor | None,
) -> torch.Tensor:
    losses_b = F.cross_entropy(
        logits_bk, targets_b, label_smoothing=label_smoothing, reduction="none"
    )
    return losses_b if class_weights_k is None else losses_b * class_weights_k[targets_b]
