"""Collects the objects found in images, and the true ones. Legend: b images of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from resnext.data.boxes.box_set import BoxImage
from resnext.data.boxes.rows import image_of
from resnext.errors import DataError
from resnext.tasks.detection.answer import MIN_SCORE
from resnext.tasks.detection.average_precision import BoxTally
from resnext.tasks.detection.errors import judge
from resnext.tasks.detection.mask_precision import MaskRuns, measure_masks, runs_of
from resnext.tasks.detection.network import Found
from resnext.tasks.detection.result import DetectionResult


class DetectionTally:
    """Keeps all that was found; the figures are computed in the order of the images."""

    def __init__(self, classes: Sequence[str], *, full: bool) -> None:
        """Start empty.

        Args:
            classes: In the order of the labels.
            full: Also judge each image.
        """
        self._classes = tuple(classes)
        self._full = full
        self._images: dict[int, BoxImage] = {}
        self._found: dict[int, npt.NDArray[np.float64]] = {}
        self._losses: dict[int, float] = {}
        self._masks: dict[int, MaskRuns] = {}

    def add(self, answers_b: Found, targets_b: torch.Tensor, indices_b: torch.Tensor) -> None:
        """Count one batch.

        Args:
            answers_b: What was found.
            targets_b: The true objects, b x m x 7; see `boxes.rows`.
            indices_b: Numbers of the images in their split, int64.
        """
        rows = zip(
            indices_b.tolist(),
            answers_b.rows,
            answers_b.sizes,
            answers_b.losses,
            targets_b,
            strict=True,
        )
        for index, found_n6, (height, width), loss, rows_m7 in rows:
            self._images[index] = image_of(rows_m7.double().numpy(), height, width)
            self._found[index] = found_n6
            self._losses[index] = loss
        if answers_b.masks is None or answers_b.outlines is None:
            return
        parts = zip(answers_b.masks, answers_b.outlines, answers_b.sizes, strict=True)
        for index, part in zip(indices_b.tolist(), parts, strict=True):
            self._masks[index] = runs_of(*part)

    def add_other_processes(self, device: torch.device) -> None:
        """Add what all other processes found; each of them must call this too.

        Args:
            device: Where the process group exchanges tensors; not used here.
        """
        del device
        parts: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(parts, (self._images, self._found, self._losses, self._masks))
        for images, found, losses, masks in parts:
            self._images |= images
            self._found |= found
            self._losses |= losses
            self._masks |= masks

    def result(self) -> DetectionResult:
        """Compute the figures.

        Raises:
            DataError: There was no image.
        """
        if not self._images:
            raise DataError("there are no images to evaluate: the split is empty or unreadable")
        tally = BoxTally(self._images, self._classes)
        for index, found_n6 in self._found.items():
            tally.add(index, found_n6)
        judged = {}
        if self._full:
            for index, image in sorted(self._images.items()):
                found_n6 = self._found[index]
                judged[index] = judge(image, found_n6[found_n6[:, 4] >= MIN_SCORE])
        losses = [loss for _, loss in sorted(self._losses.items())]
        masks = None
        if self._masks:
            masks = measure_masks(self._images, self._found, self._masks, self._classes)
        return DetectionResult(tally.result(), math.fsum(losses) / len(losses), judged, masks)
