"""Counting confusions, and their readable part: the worst classes and the most frequent mix-ups.

A matrix of k classes has k squared cells, of which n images fill at most n. So it is counted by
its filled cells, and is dense only up to `MAX_DENSE_CLASSES`. Legend: b images, k classes,
c filled cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

MAX_DENSE_CLASSES = 1000
"""Beyond, a matrix is a sparse tensor, and its JSON a list of cells: ImageNet's has 3 MB dense."""

_NUM_CONFUSIONS = 10
_MAX_PENDING = 2**18


class ConfusionCounter:
    """Counts pairs of label and prediction in memory of the order of the pairs that occur."""

    def __init__(self, num_classes: int) -> None:
        self._num_classes = num_classes
        self._cells_c = torch.empty(0, dtype=torch.int64)
        self._counts_c = torch.empty(0, dtype=torch.int64)
        self._pending: list[torch.Tensor] = []
        self._num_pending = 0

    def add(self, labels_b: torch.Tensor, predictions_b: torch.Tensor) -> None:
        """Count one batch, on the CPU."""
        self._pending.append(labels_b * self._num_classes + predictions_b)
        self._num_pending += len(labels_b)
        if self._num_pending > max(_MAX_PENDING, len(self._cells_c)):
            self._merge()

    def cells(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the filled cells, label x k + prediction in rising order, and their counts."""
        self._merge()
        return self._cells_c, self._counts_c

    def add_cells(self, cells_c: torch.Tensor, counts_c: torch.Tensor) -> None:
        """Add what another process counted, as `cells` returns it."""
        self._merge()
        cells = torch.cat([self._cells_c, cells_c])
        counts = torch.cat([self._counts_c, counts_c])
        unique, indices = np.unique(cells.numpy(), return_inverse=True)
        self._cells_c = torch.from_numpy(unique)
        zeros_c = torch.zeros_like(self._cells_c)
        self._counts_c = zeros_c.scatter_add_(0, torch.from_numpy(indices), counts)

    def matrix(self) -> torch.Tensor:
        """Return the counts k x k, a sparse tensor beyond `MAX_DENSE_CLASSES`."""
        cells_c, counts_c = self.cells()
        k = self._num_classes
        if k <= MAX_DENSE_CLASSES:
            flat = torch.zeros(k * k, dtype=torch.int64).scatter_(0, cells_c, counts_c)
            return flat.view(k, k)
        indices = torch.stack([cells_c // k, cells_c % k])
        return torch.sparse_coo_tensor(
            indices, counts_c, (k, k), is_coalesced=True, check_invariants=True
        )

    def _merge(self) -> None:
        if self._pending:
            cells_b = torch.cat(self._pending)
            self._pending, self._num_pending = [], 0
            self.add_cells(cells_b, torch.ones_like(cells_b))


def filled_cells(confusion_kk: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return labels, predictions and counts of the filled cells, by label then prediction."""
    if confusion_kk.is_sparse:
        labels_c, predictions_c = confusion_kk.indices()
        return labels_c, predictions_c, confusion_kk.values()
    labels_c, predictions_c = confusion_kk.nonzero(as_tuple=True)
    return labels_c, predictions_c, confusion_kk[labels_c, predictions_c]


def images_per_class(confusion_kk: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images of each label, and those of them that were right."""
    labels_c, predictions_c, counts_c = filled_cells(confusion_kk)
    zeros_k = torch.zeros(len(confusion_kk), dtype=counts_c.dtype)
    totals_k = zeros_k.scatter_add(0, labels_c, counts_c)
    is_right_c = labels_c == predictions_c
    return totals_k, zeros_k.scatter_add(0, labels_c[is_right_c], counts_c[is_right_c])


def as_json(confusion_kk: torch.Tensor) -> list[list[int]] | dict[str, list[int]]:
    """Return the counts as rows; of a sparse matrix the filled cells as three lists."""
    if not confusion_kk.is_sparse:
        rows: list[list[int]] = confusion_kk.tolist()
        return rows
    names = ("label", "prediction", "images")
    return dict(zip(names, (part.tolist() for part in filled_cells(confusion_kk)), strict=True))


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
    totals, right = images_per_class(confusion_kk)
    kept = (totals - right).argsort(descending=True, stable=True)[:most].sort().values
    row_k = torch.full((len(confusion_kk),), -1)
    row_k[kept] = torch.arange(len(kept))
    labels_c, predictions_c, counts_c = filled_cells(confusion_kk)
    is_shown_c = (row_k[labels_c] >= 0) & (row_k[predictions_c] >= 0)
    indices = row_k[labels_c[is_shown_c]], row_k[predictions_c[is_shown_c]]
    shown = torch.zeros(len(kept), len(kept), dtype=counts_c.dtype)
    shown[indices] = counts_c[is_shown_c]
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
    labels_c, predictions_c, counts_c = filled_cells(confusion_kk)
    totals_k, _ = images_per_class(confusion_kk)
    wrong = (labels_c != predictions_c).nonzero().flatten()
    order = counts_c[wrong].argsort(descending=True, stable=True)[:_NUM_CONFUSIONS]
    found = []
    for cell in wrong[order].tolist():
        label, prediction, num = int(labels_c[cell]), int(predictions_c[cell]), int(counts_c[cell])
        share = 100.0 * num / int(totals_k[label])
        found.append((classes[label], classes[prediction], num, share))
    return found
