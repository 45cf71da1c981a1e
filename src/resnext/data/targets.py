"""Functions for all kinds of targets; see `TargetKind` for their memory layout.

Legend: n images, k classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from resnext.data.config import TargetKind

IGNORED = 255
"""The class of a pixel that has none: it enters neither the loss nor any figure."""

_ROWS_AT_ONCE = 4_096


def count_per_class(targets_n: torch.Tensor, num_classes: int) -> list[int]:
    """Count the images of each class or those with it, and of numbers those that are known."""
    if targets_n.ndim == 1:
        counts: list[int] = torch.bincount(targets_n, minlength=num_classes).tolist()
        return counts
    present_nk = ~targets_n.isnan() if targets_n.is_floating_point() else targets_n > 0
    sums: list[int] = present_nk.sum(dim=0).tolist()
    return sums


def guess_largest(train: Sequence[int], val: Sequence[int]) -> tuple[int, float]:
    """Return the largest training class, and the error of always predicting it in validation.

    Args:
        train: Training images of each class.
        val: Validation images of each class.

    Returns:
        The number of the class, and the error in percent.
    """
    largest = max(range(len(train)), key=train.__getitem__)
    total = sum(val)
    return largest, 100.0 * (1.0 - val[largest] / total) if total else 100.0


def made_up_targets(
    kind: TargetKind, num_images: int, num_classes: int, side_px: int
) -> torch.Tensor:
    """Return targets of a kind for images of noise, which cost what real ones do.

    Args:
        kind: Which.
        num_images: Images of the batch.
        num_classes: Classes, labels or numbers.
        side_px: Side of the images, which masks have too.
    """
    classes_n = torch.arange(num_images) % num_classes
    if kind == "class":
        return classes_n
    if kind == "mask":
        return classes_n.to(torch.uint8)[:, None, None].repeat(1, side_px, side_px)
    targets_nk = torch.eye(num_classes)[classes_n]
    return targets_nk.to(torch.int8) if kind == "labels" else targets_nk


def strata(targets_n: torch.Tensor) -> NDArray[np.int64]:
    """Return the stratum of each image, for stratified splits.

    That is its class; of several labels or classes the rarest one, as rare ones are the hardest to
    share out. An image without a label, or with a number, belongs to group 0.
    """
    if targets_n.ndim == 1:
        return targets_n.numpy()
    if targets_n.is_floating_point():
        return np.zeros(len(targets_n), dtype=np.int64)
    counts_k = (targets_n > 0).sum(dim=0).numpy()
    rarest_n = np.zeros(len(targets_n), dtype=np.int64)
    for start in range(0, len(targets_n), _ROWS_AT_ONCE):  # rarities take eight bytes a label
        applies_bk = targets_n[start : start + _ROWS_AT_ONCE].numpy() > 0
        rarity_bk = np.where(applies_bk, counts_k, len(targets_n) + 1)
        of_block = np.where(applies_bk.any(axis=1), rarity_bk.argmin(axis=1) + 1, 0)
        rarest_n[start : start + _ROWS_AT_ONCE] = of_block
    return rarest_n
