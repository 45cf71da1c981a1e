"""Keeps a share of the images for validation where a set has no such split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from resnext.data.file_split import FileSplit
from resnext.data.sets.auto_split import choose_val, name_hash
from resnext.data.sets.photo_info import photo_info
from resnext.data.split import DataSet
from resnext.data.targets import count_per_class, strata
from resnext.errors import DataError
from resnext.untrusted.names import list_names

SplitRule = Literal["class", "hash"]


def automatic_split(
    root: Path,
    name: str,
    classes: tuple[str, ...],
    files: FileSplit,
    val_fraction: float,
    *,
    rule: SplitRule = "class",
    group: str | None = None,
    keys: Sequence[str] | None = None,
) -> DataSet:
    """Keep a share of images for validation; see `load_folder`.

    The names of files decide, or `keys`, where these names depend on the machine.

    Raises:
        DataError: There is one class, or one without training images, or no validation image.
    """
    if files.targets_n.ndim == 1:  # of a single label or number there is something to learn
        refuse_one_class(root, classes)
    names = files.names if keys is None else keys
    in_val = _choose_val(names, files.targets_n, len(classes), val_fraction, rule, group)
    train, val = (files.choose(mask.nonzero().flatten()) for mask in (~in_val, in_val))
    counts_k = count_per_class(train.targets_n, len(classes))
    unseen = [label for label, count in zip(classes, counts_k, strict=True) if not count]
    if unseen or not len(val):
        raise DataError(_no_split(root, files, unseen, val_fraction, rule, group))
    chosen_by = "image by image" if rule == "hash" else "of each class"
    kept_together = f", with {group} on one side" if group is not None else ""
    origin = f"{val_fraction:.0%} {chosen_by} for val, by file names{kept_together}"
    return DataSet(photo_info(name, classes), train, val, origin=origin)


def _no_split(
    root: Path,
    files: FileSplit,
    unseen: Sequence[str],
    val_fraction: float,
    rule: SplitRule,
    group: str | None,
) -> str:
    """Describe a split without images of a class for training, or without any for validation."""
    what = f"no training image of {list_names(unseen)}" if unseen else "no validation image"
    change = f"change data.val_fraction={val_fraction} "
    if rule == "class" and group is None:  # any fraction gives each split one of two images
        change = ""
        if not unseen:
            has_classes = files.targets_n.ndim == 1
            few = "no class has two images" if has_classes else "there are too few images"
            return f"{root}: {few}, of which one could be kept for validation; add images"
    return (
        f"the split by file names leaves {what} of {root}; add images, {change}or make train/ and "
        "val/ yourself"
    )


def refuse_one_class(root: Path, classes: Sequence[str]) -> None:
    """Stop where there is nothing to learn.

    Raises:
        DataError: There is one class.
    """
    if len(classes) < 2:
        raise DataError(
            f"{root} holds one class, {list_names(classes)}, so there is nothing to tell apart; "
            "give the folder whose subfolders are the classes"
        )


def _choose_val(
    names: Sequence[str],
    targets_n: torch.Tensor,
    num_classes: int,
    val_fraction: float,
    rule: SplitRule,
    group: str | None,
) -> torch.Tensor:
    """Return which images are for validation."""
    if rule == "hash":
        hashes = (name_hash(file) < val_fraction for file in names)
        chosen = np.fromiter(hashes, dtype=np.bool_, count=len(names))
    else:
        groups_n = strata(targets_n)
        num_groups = max(num_classes, int(groups_n.max(initial=0)) + 1)
        chosen = choose_val(names, groups_n, num_groups, val_fraction, group)
    return torch.from_numpy(chosen)
