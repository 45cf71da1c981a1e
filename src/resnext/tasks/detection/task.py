"""Finding objects as a task. Legend: b images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from resnext.data.box_split import BoxSplit
from resnext.data.loading.batch import Batch
from resnext.data.split import Split
from resnext.errors import ConfigError
from resnext.tasks.detection.guess import blind_ap
from resnext.tasks.detection.masks import ObjectMask
from resnext.tasks.detection.network import (
    LOSS_PARTS,
    Found,
    found_masks,
    found_rows,
    measure_losses,
    split_images,
    sum_parts,
    targets_of,
)
from resnext.tasks.detection.tally import DetectionTally
from resnext.tasks.kinds import task_kind
from resnext.tasks.measure import Measure
from resnext.tasks.section import ReportInput, Section, class_section
from resnext.tasks.task import Task, TaskOptions

Numbers = npt.NDArray[np.float64]

_ROWS = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "AP, small",
    "ap_medium": "AP, medium",
    "ap_large": "AP, large",
    "ar100": "recall of 100 objects",
    "mask_ap": "mask AP",
    "mask_ap50": "mask AP50",
    "mask_ap75": "mask AP75",
}


class Detection(Task):
    """Finds objects: boxes, classes and scores."""

    kind = task_kind("detection")
    losses = ("torchvision",)
    class_columns = (Measure("ap", "AP", digits=1), Measure("ap50", "AP50", digits=1))
    worst_key = "ap"
    loss_parts = LOSS_PARTS

    def __init__(self, options: TaskOptions) -> None:
        """Take the options.

        Raises:
            ConfigError: One of them is for one class per image.
        """
        super().__init__(options)
        if options.class_weights_k is not None:
            raise ConfigError(
                "class_weights and --balance are for one class per image; a detector's loss has "
                "none, leave them out"
            )
        if options.label_smoothing:
            raise ConfigError(
                f"label_smoothing={options.label_smoothing} is for one class per image; leave it "
                "out"
            )

    def inputs(self, batch: Batch) -> tuple[Any, ...]:
        """Return the images and their objects: torchvision's detectors compute their loss."""
        return split_images(batch), targets_of(batch)

    def loss(self, outputs_b: Mapping[str, torch.Tensor], batch: Batch) -> torch.Tensor:
        """Return the sum of torchvision's losses, which are means over the images."""
        del batch
        return torch.stack(sum_parts(outputs_b)).sum()

    def train_sum(self, outputs_b: Mapping[str, torch.Tensor], batch: Batch) -> torch.Tensor:
        """Return the sum over the images of the loss of their boxes."""
        return self.part_sums(outputs_b, batch)[LOSS_PARTS.index("box")]

    def part_sums(
        self, outputs_b: Mapping[str, torch.Tensor], batch: Batch
    ) -> tuple[torch.Tensor, ...]:
        """Return the sum over the images of each part of the loss."""
        return tuple(part * len(batch.targets_b) for part in sum_parts(outputs_b))

    def predict(
        self, model: nn.Module, batch: Batch, class_subset: Sequence[int] | None = None
    ) -> Found:
        """Find objects, and measure the loss of each image.

        The images of a batch go through the network one by one, as padding would change the boxes.
        """
        images = split_images(batch)
        labels = None if class_subset is None else {k: n for n, k in enumerate(class_subset)}
        rows: list[Numbers] = []
        masks: list[list[ObjectMask]] = []
        for image_chw in images:
            found = model([image_chw])[0]
            rows_n6, chosen = _choose_classes(found_rows(found), labels)
            rows.append(rows_n6)
            if batch.outlines is not None:
                of_image = found_masks(found, (image_chw.shape[1], image_chw.shape[2]))
                masks += [] if of_image is None else [[of_image[n] for n in chosen]]
        losses = measure_losses(model, images, batch, class_subset)
        sizes = [(image.shape[1], image.shape[2]) for image in images]
        return Found(rows, sizes, losses, masks or None, batch.outlines)

    def merge_views(self, outputs_b: Found, num_views: int) -> Found:
        """Return what was found; images have one view."""
        assert num_views == 1
        return outputs_b

    def tally(self, *, full: bool) -> DetectionTally:
        """Return an empty tally; a full one also judges each image."""
        return DetectionTally(self.options.classes, full=full)

    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the figures for people; those of each class are in the report."""
        rows = [
            (name, f"{figures[key]:.1f} %")
            for key, name in _ROWS.items()
            if figures.get(key) is not None
        ]
        loss = figures["loss"]
        return [
            ("objects", f"{figures['num_objects']:,}"),
            *rows,
            *_outlined(figures),
            *([] if loss is None else [("loss", f"{loss:.4f}")]),
        ]

    def report(self, given: ReportInput) -> Section:
        """Return the classes, the kinds of errors and the images with most of them."""
        from resnext.tasks.detection.report import report_section

        columns: tuple[Measure, ...] = self.class_columns
        if given.figures.get("mask_ap") is not None:
            columns += (Measure("mask_ap", "mask AP", digits=1),)
        return report_section(given, class_section(given.figures, columns, self.worst_key))

    def guess(self, train: Split, val: Split) -> float:
        """Return the AP in percent of finding the same objects in every image."""
        assert isinstance(train, BoxSplit)
        assert isinstance(val, BoxSplit)
        return blind_ap(train.objects, val.objects, self.options.classes)


def _choose_classes(
    rows_n6: Numbers, labels: Mapping[int, int] | None
) -> tuple[Numbers, list[int]]:
    """Give objects the class numbers of the data; those of other classes are left out.

    Returns:
        The rows that are left, and their numbers.
    """
    if labels is None:
        return rows_n6, list(range(len(rows_n6)))
    chosen = [n for n, row in enumerate(rows_n6) if int(row[5]) in labels]
    kept_n6 = rows_n6[chosen]
    kept_n6[:, 5] = [labels[int(label)] for label in kept_n6[:, 5]]
    return kept_n6, chosen


def _outlined(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say of how many objects the masks were measured, unless of all."""
    num, total = figures.get("num_masks"), figures["num_objects"]
    if num is None or num == total:
        return []
    return [("objects with an outline", f"{num:,} of {total:,}: masks are measured on these")]
