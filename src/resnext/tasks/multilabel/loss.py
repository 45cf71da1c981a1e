"""The losses of multi-label classification. Legend: b images, k labels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from resnext.data.loading.batch import Batch

_EXPONENT, _MARGIN = 4, 0.05


def batch_loss(
    logits_bk: torch.Tensor, batch: Batch, name: str, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Average the loss of a batch over its images.

    The loss of an image is the mean over its known labels, or 0 if there are none. For mixed
    images, it is the mixture of both losses.

    Args:
        logits_bk: Scores of k labels for b images.
        batch: Targets, b x k, -1 for unknown labels; and the fractions of mixed ones.
        name: `bce` or `asymmetric`.
        label_smoothing: A label that applies counts as 1 - half of it, another as half of it.

    Returns:
        A scalar.
    """
    logits_bk = logits_bk.float()
    losses_b = _image_losses(logits_bk, batch.targets_b, name, label_smoothing)
    if batch.other_targets_b is not None and batch.kept_b is not None:
        other_b = _image_losses(logits_bk, batch.other_targets_b, name, label_smoothing)
        losses_b = batch.kept_b * losses_b + (1.0 - batch.kept_b) * other_b
    return losses_b.mean()


def _image_losses(
    logits_bk: torch.Tensor, targets_bk: torch.Tensor, name: str, label_smoothing: float
) -> torch.Tensor:
    is_known_bk = targets_bk >= 0
    soft_bk = targets_bk.clamp(min=0).to(logits_bk.dtype)
    soft_bk = soft_bk * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if name == "asymmetric":
        losses_bk = asymmetric_losses(logits_bk, soft_bk)
    else:
        losses_bk = F.binary_cross_entropy_with_logits(logits_bk, soft_bk, reduction="none")
    num_known_b = is_known_bk.sum(dim=1).clamp(min=1)
    return (losses_bk * is_known_bk).sum(dim=1) / num_known_b


def asymmetric_losses(logits_bk: torch.Tensor, targets_bk: torch.Tensor) -> torch.Tensor:
    """Return a loss in which easy negatives count little.

    The probability of a negative is reduced by a margin, and its loss is weighted by a high power
    of it, so that the many obvious negatives do not dominate the few positives.

    Args:
        logits_bk: Scores.
        targets_bk: 0 to 1.

    Source: T. Ben-Baruch et al., "Asymmetric Loss For Multi-Label Classification", arXiv
    2009.14119, equations 4 to 7, with the exponents 0 and 4 and the margin 0.05 of its experiments.
    """
    shifted_bk = (logits_bk.sigmoid() - _MARGIN).clamp(min=0.0)
    positive_bk = F.logsigmoid(logits_bk)
    negative_bk = torch.log1p(-shifted_bk) * shifted_bk**_EXPONENT
    return -(targets_bk * positive_bk + (1.0 - targets_bk) * negative_bk)
