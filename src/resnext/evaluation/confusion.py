"""The readable part of a confusion matrix: the worst classes and the most frequent mix-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

_NUM_CONFUSIONS = 10


@dataclass(frozen=True)
class ConfusionTable:
    """Some rows of a confusion matrix, and the same columns.

    Attributes:
        names: The classes shown.
        rows: Counts by label, then by prediction, in the order of `names`.
        others: Images of each label that were taken for a class not shown.
        totals: Images of each label.
    """

    names: list[str]
    rows: list[list[int]]
    others: list[int]
    totals: list[int]


def worst_classes(confusion_kk: torch.Tensor, classes: Sequence[str], most: int) -> ConfusionTable:
    """Keep the classes with the most wrong images, in the order of the labels.

    Args:
        confusion_kk: Counts; rows are labels, columns predictions.
        classes: Names of the k classes.
        most: Classes to keep; all are kept if there are no more.
    """
    totals = confusion_kk.sum(dim=1)
    wrong = totals - confusion_kk.diagonal()
    kept = wrong.argsort(descending=True, stable=True)[:most].sort().values
    shown = confusion_kk[kept][:, kept]
    return ConfusionTable(
        names=[classes[label] for label in kept.tolist()],
        rows=shown.tolist(),
        others=(totals[kept] - shown.sum(dim=1)).tolist(),
        totals=totals[kept].tolist(),
    )


def top_confusions(
    confusion_kk: torch.Tensor, classes: Sequence[str]
) -> list[tuple[str, str, int, float]]:
    """Return the most frequent confusions.

    Args:
        confusion_kk: Counts; rows are labels, columns predictions.
        classes: Names of the k classes.

    Returns:
        Label, prediction, images, and their share of the label's images in percent.
    """
    off_diagonal = confusion_kk.clone()
    off_diagonal.fill_diagonal_(0)
    counts = off_diagonal.flatten()
    most = counts.topk(min(_NUM_CONFUSIONS, len(counts))).indices
    found = []
    for cell in most[counts[most] > 0].tolist():
        label, prediction = divmod(cell, len(classes))
        num = int(counts[cell])
        share = 100.0 * num / int(confusion_kk[label].sum())
        found.append((classes[label], classes[prediction], num, share))
    return found
