"""Completes the splits of a folder whose targets are files or annotations of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from resnext.data.file_split import FileSplit
from resnext.data.sets.auto_split import choose_val
from resnext.data.sets.layout import SplitName
from resnext.data.split import DataInfo, DataSet
from resnext.data.targets import strata
from resnext.errors import DataError


def with_val(
    root: Path,
    info: DataInfo,
    splits: Mapping[SplitName | None, FileSplit],
    val_fraction: float,
    group: str | None,
) -> DataSet:
    """Build the data set; if there are no validation images, take them from training.

    Args:
        root: The folder, for messages.
        info: Facts about the images.
        splits: The splits; None is the name of all images if there are none.
        val_fraction: Fraction of the training images for validation; with 1, and no train/, all.
        group: Regular expression of related images; see `choose_val`.

    Raises:
        DataError: There are no training images, or none would be left for validation.
    """
    train = splits.get("train") or splits.get(None)
    val, test = splits.get("val"), splits.get("test")
    if val_fraction == 1 and (val is None or "train" not in splits):
        whole = val or test or train
        assert whole is not None
        return DataSet(info, whole.choose(torch.empty(0, dtype=torch.int64)), whole, test)
    if train is None:
        noun = "masks" if info.targets == "mask" else "annotations"
        raise DataError(
            f"{root} has {', '.join(map(str, splits))} but no train; add the training images with "
            f"their {noun}"
        )
    if val is not None:
        return DataSet(info, train, val, test)
    groups_n = strata(train.targets_n)
    num_groups = int(groups_n.max(initial=0)) + 1
    in_val = torch.from_numpy(choose_val(train.names, groups_n, num_groups, val_fraction, group))
    kept, val = (train.choose(mask.nonzero().flatten()) for mask in (~in_val, in_val))
    if not len(val):
        raise DataError(
            f"the split by file names leaves no validation images in {root}; add images, change "
            f"data.val_fraction={val_fraction} or create train/ and val/ yourself"
        )
    kept_together = f", with {group} on one side" if group is not None else ""
    origin = f"{val_fraction:.0%} for val, by file names{kept_together}"
    return DataSet(info, kept, val, test, origin)
