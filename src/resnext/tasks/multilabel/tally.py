"""Collects the scores of all images, as average precisions cannot be summed.

Legend: b images of a batch, n all images, k labels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from resnext.errors import CheckpointError, DataError
from resnext.tasks.multilabel.result import MultiLabelResult


class MultiLabelTally:
    """Scores and targets of the images seen so far: five bytes per label and image."""

    def __init__(self, thresholds_k: tuple[float, ...], *, full: bool) -> None:
        """Start empty.

        Args:
            thresholds_k: Thresholds of a trained network; without them they are selected on the
                images.
            full: Refuse NaN scores.
        """
        self._thresholds_k = thresholds_k
        self._full = full
        self._parts: list[tuple[Any, Any, Any]] = []

    def add(
        self, answers_b: torch.Tensor, targets_b: torch.Tensor, indices_b: torch.Tensor
    ) -> None:
        """Collect one batch.

        Args:
            answers_b: Logits, b x k.
            targets_b: 1, 0 or -1, b x k.
            indices_b: Numbers of the images in their split, int64.
        """
        logits_bk = answers_b.float().cpu().numpy()
        targets_bk = targets_b.to(torch.int8).cpu().numpy()
        self._parts.append((indices_b.cpu().numpy(), logits_bk, targets_bk))

    def add_other_processes(self, device: torch.device) -> None:
        """Add what all other processes collected; each of them must call this too."""
        del device  # objects travel over the CPU, or as torch's backend wants it
        gathered: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(gathered, self._parts)
        self._parts = [part for parts in gathered for part in parts]

    def result(self) -> MultiLabelResult:
        """Sort the images and compute the metrics.

        Raises:
            DataError: There was no image.
            CheckpointError: The scores are NaN, and all metrics are requested.
        """
        if not self._parts:
            raise DataError("there are no images to evaluate: the split is empty or unreadable")
        indices_n, logits_nk, targets_nk = (
            np.concatenate(part) for part in zip(*self._parts, strict=True)
        )
        order = np.argsort(indices_n, kind="stable")
        result = MultiLabelResult(
            indices_n[order], logits_nk[order], targets_nk[order], self._thresholds_k
        )
        if self._full and math.isnan(result.loss):
            raise CheckpointError(
                "the network's outputs are not numbers (NaN), so its training diverged; evaluate "
                "earlier weights"
            )
        return result
