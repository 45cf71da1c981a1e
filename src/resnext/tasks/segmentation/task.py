"""A class for each pixel as a task. Legend: b images, k classes, h x w pixels, n all images."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.data.split import Split
from resnext.data.targets import IGNORED
from resnext.errors import ConfigError
from resnext.runtimes.module import ExportedModule
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure
from resnext.tasks.section import ReportInput, Section
from resnext.tasks.segmentation.loss import batch_loss
from resnext.tasks.segmentation.tally import SegmentationTally
from resnext.tasks.segmentation.tiled import PixelAnswers, answer_in_tiles
from resnext.tasks.segmentation.tiles import describe_tiling, tiling_of
from resnext.tasks.task import Task, TaskOptions

_LOG = logging.getLogger(__name__)

_ROWS = {
    "mean_iou": "mIoU",
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "mean accuracy of a class",
}


class Segmentation(Task):
    """Chooses a class for each pixel."""

    kind = task_kind("segmentation")
    losses = ("cross_entropy", "cross_entropy_dice")
    class_columns = (
        Measure("iou", "IoU"),
        Measure("accuracy", "recall"),
        Measure("precision", "precision"),
        Measure("share", "share of pixels"),
    )
    worst_key = "iou"

    def __init__(self, options: TaskOptions) -> None:
        """Take the options.

        Raises:
            ConfigError: Classes are weighed, which is for one class an image.
        """
        super().__init__(options)
        if options.class_weights_k is not None:
            raise ConfigError(
                "class_weights and --balance are for one class an image; for small objects and "
                "rare classes, take --set loss=cross_entropy_dice"
            )
        self._has_told_of_tiles = False

    def loss(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the mean loss of the images; see `batch_loss`."""
        options = self.options
        return batch_loss(outputs_b, batch.targets_b, self.loss_name, options.label_smoothing)

    def train_sum(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the sum over the images of the share of their pixels that is wrong."""
        is_known_bhw = batch.targets_b != IGNORED
        wrong_bhw = (outputs_b.argmax(dim=1) != batch.targets_b) & is_known_bhw
        num_known_b = is_known_bhw.flatten(1).sum(dim=1).clamp(min=1)
        return (wrong_bhw.flatten(1).sum(dim=1) / num_known_b).sum()

    def predict(
        self, model: nn.Module, batch: Batch, class_subset: Sequence[int] | None = None
    ) -> torch.Tensor | PixelAnswers:
        """Return the scores, or what is left of them for images that are tiled as in prediction."""
        height, width = batch.images_bchw.shape[-2:]
        spec = model.exported.spec if isinstance(model, ExportedModule) else None
        tiling = tiling_of(height, width, spec)
        if tiling is None:
            scores_bkhw: torch.Tensor = super().predict(model, batch, class_subset)
            return scores_bkhw
        if not self._has_told_of_tiles:
            self._has_told_of_tiles = True
            _LOG.warning(describe_tiling(height, width, tiling))

        def run(tile_1chw: torch.Tensor) -> torch.Tensor:
            part = replace(batch, images_bchw=tile_1chw)
            return _widen(super(Segmentation, self).predict(model, part, class_subset))

        return answer_in_tiles(run, batch.images_bchw, batch.targets_b, tiling)

    def merge_views(
        self, outputs_b: torch.Tensor | PixelAnswers, num_views: int
    ) -> torch.Tensor | PixelAnswers:
        """Return the scores, or what is left of them; images have one view."""
        assert num_views == 1
        return outputs_b if isinstance(outputs_b, PixelAnswers) else _widen(outputs_b)

    def tally(self, *, full: bool) -> SegmentationTally:
        """Return an empty tally; a full one also keeps the worst images."""
        return SegmentationTally(len(self.options.classes), full=full)

    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the figures for people; those of each class are in the report."""
        rows = [
            (name, f"{figures[key]:.2f} %")
            for key, name in _ROWS.items()
            if figures.get(key) is not None
        ]
        return [*rows, ("loss", f"{figures['loss']:.4f}")]

    def report(self, given: ReportInput) -> Section:
        """Return the classes, the confusion and the worst images."""
        from resnext.tasks.segmentation.report import report_section

        return report_section(given, super().report(given))

    def guess(self, train: Split, val: Split) -> float:
        """Return the mIoU of giving every pixel the class with most pixels in training.

        Its IoU is its share of the pixels; that of the other classes that are there is 0.
        """
        largest = int(train.targets_n.sum(dim=0).argmax())
        pixels_k = val.targets_n.sum(dim=0)
        total = int(pixels_k.sum())
        num_there = int((pixels_k > 0).sum()) + int(pixels_k[largest] == 0)
        return 100.0 * int(pixels_k[largest]) / total / num_there if total else 0.0


def _widen(scores_bkhw: torch.Tensor) -> torch.Tensor:
    return scores_bkhw.to(torch.promote_types(scores_bkhw.dtype, torch.float32))
