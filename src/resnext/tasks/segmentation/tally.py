"""Counts the pixels of each class by predicted class.

Legend: b images of a batch, k classes, h x w pixels, n pixels with a class, p some of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from resnext.data.targets import IGNORED
from resnext.errors import CheckpointError, DataError
from resnext.tasks.segmentation.loss import image_losses
from resnext.tasks.segmentation.result import SegmentationResult, WrongImage
from resnext.tasks.segmentation.tiled import PixelAnswers

NUM_WORST = 12
_COUNTED = 2**22  # pixels at a time


class SegmentationTally:
    """The confusion matrix of the images seen so far, exact: 64-bit numbers on the CPU."""

    def __init__(self, num_classes: int, *, full: bool) -> None:
        """Start at zero.

        Args:
            num_classes: Classes to choose from.
            full: Also keep the masks of the worst images, and refuse NaN scores.
        """
        self._num_classes = num_classes
        self._full = full
        self._confusion_kk = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self._losses: list[tuple[int, float]] = []
        self._worst: list[WrongImage] = []

    def add(
        self,
        answers_b: torch.Tensor | PixelAnswers,
        targets_b: torch.Tensor,
        indices_b: torch.Tensor,
    ) -> None:
        """Count one batch.

        Args:
            answers_b: Scores, b x k x h x w, or what is left of those of tiles.
            targets_b: The class of each pixel, uint8, b x h x w.
            indices_b: Numbers of the images in their split, int64.
        """
        if isinstance(answers_b, PixelAnswers):
            predicted_bhw, losses = answers_b.classes_bhw, answers_b.losses_b.double().tolist()
        else:
            predicted_bhw = answers_b.argmax(dim=1)
            losses = image_losses(answers_b, targets_b).double().tolist()
        is_known_bhw = targets_b != IGNORED
        self._count(predicted_bhw[is_known_bhw], targets_b[is_known_bhw])
        indices = indices_b.tolist()
        self._losses += zip(indices, losses, strict=True)
        if self._full:
            wrong_b = ((predicted_bhw != targets_b) & is_known_bhw).flatten(1).sum(dim=1)
            known_b = is_known_bhw.flatten(1).sum(dim=1).clamp(min=1)
            errors = (100.0 * wrong_b.double() / known_b).tolist()
            self._keep_worst(
                [
                    WrongImage(index, error, mask_hw)
                    for index, error, mask_hw in zip(
                        indices, errors, predicted_bhw.to(torch.uint8).cpu().numpy(), strict=True
                    )
                ]
            )

    def _count(self, predicted_n: torch.Tensor, truth_n: torch.Tensor) -> None:
        """Add pixels to the matrix, some at a time: their cells are 64-bit numbers."""
        pairs = zip(torch.split(predicted_n, _COUNTED), torch.split(truth_n, _COUNTED), strict=True)
        for predicted_p, truth_p in pairs:
            cells_p = truth_p.long() * self._num_classes + predicted_p
            counts = torch.bincount(cells_p, minlength=self._num_classes**2)
            self._confusion_kk += counts.view(self._num_classes, self._num_classes).cpu()

    def _keep_worst(self, more: list[WrongImage]) -> None:
        found = sorted(self._worst + more, key=lambda image: (-image.error, image.index))
        self._worst = found[:NUM_WORST]

    def add_other_processes(self, device: torch.device) -> None:
        """Add what all other processes counted; each of them must call this too.

        Args:
            device: Where the process group exchanges tensors: a GPU for NCCL.
        """
        total = self._confusion_kk.to(device)
        dist.all_reduce(total)
        self._confusion_kk = total.cpu()
        parts: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(parts, (self._losses, self._worst))
        self._losses, self._worst = [], []
        for losses, worst in parts:
            self._losses += losses
            self._keep_worst(worst)

    def result(self) -> SegmentationResult:
        """Compute the metrics; losses are summed in the order of the images.

        Raises:
            DataError: There was no image.
            CheckpointError: The network's outputs are NaN, and all metrics are requested.
        """
        if not self._losses:
            raise DataError("there are no images to evaluate: the split is empty or unreadable")
        losses = [loss for _, loss in sorted(self._losses)]
        loss = math.fsum(losses) / len(losses)
        if self._full and math.isnan(loss):
            raise CheckpointError(
                "the network's outputs are not numbers (NaN), so its training diverged; evaluate "
                "earlier weights"
            )
        worst = tuple(image for image in self._worst if image.error > 0)
        confusion_kk = self._confusion_kk.numpy().astype(np.int64)
        return SegmentationResult(len(losses), loss, confusion_kk, worst)
