"""The losses of segmentation. Legend: b images, k classes, h x w pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from resnext.data.targets import IGNORED

_SMOOTH = 1.0
"""Pixels added to both parts of Dice's fraction, so that single pixels have little influence."""


def batch_loss(
    scores_bkhw: torch.Tensor, masks_bhw: torch.Tensor, name: str, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Average the loss of a batch over its images.

    The loss of an image is the mean over its pixels with a class, or 0 if there are none.

    Args:
        scores_bkhw: Scores of k classes at every pixel.
        masks_bhw: The class of each pixel, uint8, or `IGNORED`.
        name: `cross_entropy` or `cross_entropy_dice`, which adds Dice's loss.
        label_smoothing: Fraction of the label spread over all classes.

    Returns:
        A scalar.
    """
    losses_b = image_losses(scores_bkhw, masks_bhw, label_smoothing)
    if name == "cross_entropy_dice":
        losses_b = losses_b + dice_losses(scores_bkhw, masks_bhw)
    return losses_b.mean()


def image_losses(
    scores_bkhw: torch.Tensor, masks_bhw: torch.Tensor, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Return the mean cross-entropy of each image's pixels, b."""
    return loss_sums(scores_bkhw, masks_bhw, label_smoothing) / num_known(masks_bhw)


def loss_sums(
    scores_bkhw: torch.Tensor, masks_bhw: torch.Tensor, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Return the sum of the cross-entropy over each image's pixels with a class, b."""
    losses_bhw = F.cross_entropy(
        scores_bkhw.float(),
        masks_bhw.long(),
        ignore_index=IGNORED,
        reduction="none",
        label_smoothing=label_smoothing,
    )
    return losses_bhw.flatten(1).sum(dim=1)


def num_known(masks_bhw: torch.Tensor) -> torch.Tensor:
    """Count the pixels with a class in each image, but at least 1, int64 b."""
    return (masks_bhw != IGNORED).flatten(1).sum(dim=1).clamp(min=1)


def dice_losses(scores_bkhw: torch.Tensor, masks_bhw: torch.Tensor) -> torch.Tensor:
    """Return 1 - Dice's coefficient of each image, averaged over the classes in its mask, b.

    Pixels without a class are ignored. Small objects have the same weight as large ones.

    Source: F. Milletari et al., "V-Net", arXiv 1606.04797, section 3, for several classes and
    without squares.
    """
    num_classes = scores_bkhw.shape[1]
    is_known_b1hw = (masks_bhw != IGNORED).unsqueeze(1)
    probs_bkhw = scores_bkhw.float().softmax(dim=1) * is_known_b1hw
    labels_bhw = masks_bhw.long().masked_fill(masks_bhw == IGNORED, 0)
    truth_bkhw = F.one_hot(labels_bhw, num_classes).movedim(-1, 1) * is_known_b1hw
    shared_bk = (probs_bkhw * truth_bkhw).flatten(2).sum(dim=2)
    pixels_bk = truth_bkhw.flatten(2).sum(dim=2)
    sums_bk = probs_bkhw.flatten(2).sum(dim=2) + pixels_bk
    losses_bk = 1.0 - (2.0 * shared_bk + _SMOOTH) / (sums_bk + _SMOOTH)
    is_there_bk = pixels_bk > 0
    return (losses_bk * is_there_bk).sum(dim=1) / is_there_bk.sum(dim=1).clamp(min=1)
