"""Counts predictions batch by batch, and adds up what several processes counted.

Everything counted is a sum, so the figures of many processes are those of one. Legend:
b images, k classes, n guesses.
"""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any

import torch
import torch.distributed as dist

from resnext.errors import CheckpointError, DataError
from resnext.tasks.classification.confusion import ConfusionCounter
from resnext.tasks.classification.result import ClassificationResult, Mistake

NUM_BINS = 15
"""Bins of the calibration error, as in Guo et al."""

NUM_MISTAKES = 24
_NUM_GUESSES = 5


class ClassificationTally:
    """Sums over the images seen so far, exact: 64-bit numbers on the CPU."""

    def __init__(self, num_classes: int, *, full: bool) -> None:
        """Start at zero.

        Args:
            num_classes: Classes to choose from.
            full: Also count the confusion, the calibration and the mistakes.
        """
        self._num_classes = num_classes
        self._full = full
        self._counts = torch.zeros(3, dtype=torch.int64)  # images, right, right within five
        self._class_counts = torch.zeros(2, num_classes, dtype=torch.int64)  # images, right
        self._loss_sum = torch.zeros(1, dtype=torch.float64)
        self._confusion = ConfusionCounter(num_classes)
        self._bins = torch.zeros(3, NUM_BINS if full else 0, dtype=torch.float64)
        self._mistakes: list[Mistake] = []

    def add(
        self, log_probs_bk: torch.Tensor, labels_b: torch.Tensor, indices_b: torch.Tensor
    ) -> None:
        """Count one batch.

        Args:
            log_probs_bk: Logarithms of the class probabilities, on any device.
            labels_b: Classes, int64.
            indices_b: Numbers of the images in their split, int64.
        """
        guesses = log_probs_bk.topk(min(_NUM_GUESSES, self._num_classes), dim=1)
        hits_bn = guesses.indices == labels_b[:, None]
        # A network that has diverged gives NaN for every class; none of them is a guess.
        hits_bn &= ~guesses.values.isnan()
        losses_b = -log_probs_bk.gather(1, labels_b[:, None]).squeeze(1)
        self._counts[0] += len(labels_b)
        self._counts[1] += int(hits_bn[:, 0].sum())
        self._counts[2] += int(hits_bn.sum())
        ones_b = torch.ones(2, len(labels_b), dtype=torch.int64)
        ones_b[1] = hits_bn[:, 0].cpu()
        self._class_counts.scatter_add_(1, labels_b.cpu().expand(2, -1), ones_b)
        self._loss_sum += losses_b.cpu().double().sum()
        if self._full:
            confidences_b = guesses.values[:, 0].cpu().double().exp()
            self._add_details(
                labels_b.cpu(), guesses.indices[:, 0].cpu(), confidences_b, indices_b.cpu()
            )

    def _add_details(
        self,
        labels_b: torch.Tensor,
        predictions_b: torch.Tensor,
        confidences_b: torch.Tensor,
        indices_b: torch.Tensor,
    ) -> None:
        right_b = (labels_b == predictions_b).double()
        self._confusion.add(labels_b, predictions_b)
        bins_b = (confidences_b.nan_to_num() * NUM_BINS).long().clamp(max=NUM_BINS - 1)
        for row, values_b in enumerate((torch.ones_like(right_b), confidences_b, right_b)):
            self._bins[row].scatter_add_(0, bins_b, values_b)
        wrong_b = right_b == 0
        columns = (indices_b, labels_b, predictions_b, confidences_b)
        rows = zip(*(column[wrong_b].tolist() for column in columns), strict=True)
        self._keep_worst([Mistake(*row) for row in rows])

    def _keep_worst(self, more: list[Mistake]) -> None:
        by_index = sorted(self._mistakes + more, key=attrgetter("index"))
        self._mistakes = sorted(by_index, key=attrgetter("confidence"), reverse=True)[:NUM_MISTAKES]

    def add_other_processes(self, device: torch.device) -> None:
        """Add what all other processes counted; each of them must call this too.

        Args:
            device: Where the process group exchanges tensors: a GPU for NCCL.
        """
        for sums in (self._counts, self._class_counts, self._loss_sum, self._bins):
            if sums.numel():
                total = sums.to(device)
                dist.all_reduce(total)
                sums.copy_(total)
        if self._full:
            parts: list[Any] = [None] * dist.get_world_size()
            dist.all_gather_object(parts, (self._mistakes, self._confusion.cells()))
            self._mistakes, self._confusion = [], ConfusionCounter(self._num_classes)
            for mistakes, cells in parts:
                self._keep_worst(mistakes)
                self._confusion.add_cells(*cells)

    def result(self) -> ClassificationResult:
        """Turn the sums into figures.

        Raises:
            DataError: No image was counted.
            CheckpointError: The network gave NaN, and more than the loss was asked for.
        """
        num, right, right_in_five = self._counts.tolist()
        if not num:
            raise DataError(
                "there is nothing to evaluate: the split is empty, or no file of it can be read"
            )
        loss = float(self._loss_sum) / num
        if self._full and math.isnan(loss):
            raise CheckpointError(
                "the network's outputs are not numbers (NaN), so its training had diverged; "
                "evaluate weights from before that"
            )
        top5 = 100.0 * (num - right_in_five) / num if self._num_classes > _NUM_GUESSES else None
        return ClassificationResult(
            num_images=num,
            top1_error=100.0 * (num - right) / num,
            top5_error=top5,
            loss=loss,
            confusion_kk=self._confusion.matrix() if self._full else None,
            bins=self._bins if self._full else None,
            mistakes=tuple(self._mistakes),
            class_counts_2k=self._class_counts,
        )
