"""A folder of images with boxes as a data set with splits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resnext.data.box_split import BoxSplit
from resnext.data.boxes.box_set import BoxSet, Finding
from resnext.data.boxes.read import load_boxes
from resnext.data.sets.layout import SplitName
from resnext.data.sets.notices import warn_once
from resnext.data.sets.own_splits import with_val
from resnext.data.sets.photo_info import photo_info
from resnext.data.split import DataSet
from resnext.model.detector_config import DetectorConfig
from resnext.untrusted.text import printable


def load_box_data(kind: str, root: Path, val_fraction: float, group: str | None = None) -> DataSet:
    """Read the annotations of a folder; what is wrong in them is logged.

    Args:
        kind: `coco`, `voc` or `yolo`.
        root: The folder.
        val_fraction: Fraction of the training images for validation if there are no validation
            images; with 1, and no train/, all are.
        group: As for `load_folder`.

    Raises:
        DataError: The folder is in no known layout, or has no training images.
    """
    found = load_boxes(f"{kind}:{root}")
    for finding in found.findings:
        if finding.is_wrong:
            warn_once(_describe(root, finding))
    splits: dict[SplitName | None, BoxSplit] = {}
    for name, images in found.splits.items():
        splits[_name_of(name, found)] = BoxSplit.make(root, images, len(found.classes))
    side_px: int = DetectorConfig.model_fields["min_size_px"].default
    info = photo_info(root.name or kind, found.classes)
    info = replace(info, targets="boxes", image_size_px=side_px)
    return with_val(root, info, splits, val_fraction, group)


def _name_of(name: str, found: BoxSet) -> SplitName | None:
    """Return the name of a split; the only one is the whole set."""
    if name == "train" and len(found.splits) == 1:
        return None
    names: dict[str, SplitName] = {"train": "train", "val": "val", "test": "test"}
    return names[name]


def _describe(root: Path, finding: Finding) -> str:
    places = ", ".join(finding.places)
    more = ", ..." if finding.num > len(finding.places) else ""
    return printable(f"{root}: {finding.text}: {finding.num:,} ({places}{more})")
