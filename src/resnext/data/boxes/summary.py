"""A data set of boxes in figures: images, objects, their sizes, and what looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resnext.data.boxes.box_set import BoxImage, BoxSet, Finding
from resnext.data.decode.image import Photo, read_file
from resnext.errors import DataError
from resnext.untrusted.names import list_names
from resnext.untrusted.text import printable

SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, float("inf"))}
"""COCO's ranges of areas, in square pixels: https://cocodataset.org/#detection-eval."""

_MAX_OPENED = 200
_MAX_CLASSES = 20


@dataclass(frozen=True)
class SplitSummary:
    """Figures of one split.

    Attributes:
        num_images: Images.
        num_empty: Images without boxes.
        num_boxes: Boxes, crowd regions left out.
        num_crowds: Crowd regions.
        boxes_by_class: Boxes by class, in the order of the classes.
        boxes_by_size: Boxes by COCO's sizes.
        median_side_px: Median of the roots of the areas.
        most_in_an_image: The largest number of boxes.
    """

    num_images: int
    num_empty: int
    num_boxes: int
    num_crowds: int
    boxes_by_class: dict[str, int]
    boxes_by_size: dict[str, int]
    median_side_px: float
    most_in_an_image: int


@dataclass(frozen=True)
class BoxSummary:
    """Figures of a data set of boxes.

    Attributes:
        name: Of the set.
        classes: Names of the classes.
        splits: By split.
        findings: What is wrong, then notes.
    """

    name: str
    classes: tuple[str, ...]
    splits: dict[str, SplitSummary]
    findings: tuple[Finding, ...]

    @property
    def num_wrong(self) -> int:
        """Kinds of things that someone should look at."""
        return sum(finding.is_wrong for finding in self.findings)


def summarise_boxes(data: BoxSet) -> BoxSummary:
    """Count a data set, and open some of its images."""
    splits = {split: _summarise(images, data.classes) for split, images in data.splits.items()}
    others = [*_wrong_sizes(data), *_unused_classes(splits, data.classes), *_shared(data)]
    findings = sorted((*data.findings, *others), key=lambda finding: not finding.is_wrong)
    return BoxSummary(data.name, data.classes, splits, tuple(findings))


def summary_lines(summary: BoxSummary) -> list[str]:
    """Write a summary for people, a line each."""
    num = len(summary.classes)
    shown = list_names(summary.classes, _MAX_CLASSES, printable)
    lines = [f"{printable(summary.name)}: {num} {'class' if num == 1 else 'classes'}: {shown}"]
    for name, split in summary.splits.items():
        sizes = ", ".join(f"{num:,} {size}" for size, num in split.boxes_by_size.items())
        lines.append(
            f"{name}: {split.num_images:,} images, {split.num_empty:,} of them without boxes; "
            f"{split.num_boxes:,} boxes ({sizes}), {split.num_crowds:,} crowd regions; median side "
            f"{split.median_side_px:.0f} px, at most {split.most_in_an_image} boxes in an image"
        )
        counts = Counter(split.boxes_by_class).most_common()
        by_class = [f"{printable(label)} {num:,}" for label, num in counts]
        lines.append(f"{name}, boxes by class: {list_names(by_class, _MAX_CLASSES)}")
    kinds = {True: "warning", False: "note"}
    return [*lines, *(f"{kinds[finding.is_wrong]}: {finding}" for finding in summary.findings)]


def _summarise(images: Sequence[BoxImage], classes: Sequence[str]) -> SplitSummary:
    kept = [~image.crowds_n for image in images]
    counts = [int(kept_n.sum()) for kept_n in kept]
    nothing = [np.zeros(0)]
    areas_n = np.concatenate(
        [*nothing, *(image.areas_n[k] for image, k in zip(images, kept, strict=True))]
    )
    labels_n = np.concatenate(
        [*nothing, *(image.labels_n[k] for image, k in zip(images, kept, strict=True))]
    )
    by_class = np.bincount(labels_n.astype(np.int64), minlength=len(classes))
    return SplitSummary(
        num_images=len(images),
        num_empty=sum(len(image.boxes_n4) == 0 for image in images),
        num_boxes=len(areas_n),
        num_crowds=sum(int(image.crowds_n.sum()) for image in images),
        boxes_by_class=dict(zip(classes, map(int, by_class), strict=True)),
        boxes_by_size={
            size: int(((areas_n >= low) & (areas_n < high)).sum())
            for size, (low, high) in SIZES.items()
        },
        median_side_px=float(np.median(np.sqrt(areas_n))) if len(areas_n) else 0.0,
        most_in_an_image=max(counts, default=0),
    )


def _wrong_sizes(data: BoxSet) -> list[Finding]:
    """Open some images, evenly spread: they must be as large as the annotations say."""
    images = [image for split in data.splits.values() for image in split]
    damaged, differing = [], []
    for image in images[:: max(1, len(images) // _MAX_OPENED)]:
        try:
            size = Photo(read_file(image.path)).size
        except DataError as error:
            damaged.append(f"{image.path.name}: {error}")
            continue
        if size != (image.width, image.height):
            differing.append(
                f"{image.path.name}: {size[0]}x{size[1]} instead of {image.width}x{image.height}"
            )
    kinds = {
        "images that cannot be read, of those that were opened": damaged,
        "images of another size than is recorded, of those that were opened": differing,
    }
    return [Finding(text, True, len(p), tuple(p[:3])) for text, p in kinds.items() if p]


def _unused_classes(splits: dict[str, SplitSummary], classes: Sequence[str]) -> list[Finding]:
    unused = [
        name for name in classes if not any(split.boxes_by_class[name] for split in splits.values())
    ]
    text = "classes without a box"
    return [Finding(text, False, len(unused), tuple(unused[:3]))] if unused else []


def _shared(data: BoxSet) -> list[Finding]:
    """Find images that are in two splits, by their path."""
    counts = Counter(
        path for images in data.splits.values() for path in {image.path for image in images}
    )
    shared = [path.name for path, number in counts.items() if number > 1]
    text = "images that are in more than one split"
    return [Finding(text, True, len(shared), tuple(shared[:3]))] if shared else []
