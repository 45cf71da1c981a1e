"""The result of evaluating boxes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnext.tasks.detection.average_precision import BoxFigures
from resnext.tasks.detection.errors import Judged
from resnext.tasks.detection.mask_precision import MaskFigures

_EPOCH_FIGURES = ("ap", "ap50", "ap75", "ar100")


@dataclass(frozen=True, eq=False)
class DetectionResult:
    """The figures of one evaluation; all but the loss are in percent.

    Attributes:
        measured: Average precisions and recalls.
        loss: Mean loss of an image; NaN of an exported file, which has no loss.
        judged: The objects found in each image with a score of at least `answer.MIN_SCORE`, by the
            image's number; empty unless everything was asked for.
        masks: How well masks fit, where they were measured.
    """

    measured: BoxFigures
    loss: float
    judged: Mapping[int, Judged]
    masks: MaskFigures | None = None

    @property
    def num_images(self) -> int:
        """Number of evaluated images."""
        return self.measured.num_images

    def figures(self) -> dict[str, float | None]:
        """Return the figures of an epoch."""
        return {name: self.measured.figures[name] for name in _EPOCH_FIGURES} | {"loss": self.loss}

    def card_fields(self) -> dict[str, Any]:
        """Return nothing: the classes say all."""
        return {}

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return all figures as JSON values.

        Args:
            classes: Names of the classes, which the figures have already.
        """
        del classes
        loss = None if math.isnan(self.loss) else self.loss  # JSON has no NaN
        figures = {**self.measured.as_dict(), "loss": loss}
        if self.masks is not None:
            figures |= {"num_masks": self.masks.num_masks, **self.masks.figures}
            for name, row in figures["per_class"].items():
                row["mask_ap"] = self.masks.ap_by_class[name]
        return figures
