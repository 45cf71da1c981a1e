"""The splits of signals, by the rule of image folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.config import DataConfig
from resnext.data.sets.auto_split import choose_val
from resnext.data.signals.split import SignalSplit
from resnext.data.signals.video_split import VideoSplit
from resnext.errors import DataError
from resnext.untrusted.names import list_names

SplitT = TypeVar("SplitT", SignalSplit, VideoSplit)

_NONE = torch.empty(0, dtype=torch.int64)


def settle_splits(
    root: Path, found: Mapping[str, SplitT], num_classes: int, config: DataConfig
) -> tuple[dict[str, SplitT], str]:
    """Take signals for validation from training, where there are no others.

    A share of each class is chosen by a hash of the names; `test` is never used for training. With
    `val_fraction=1`, a folder without train/ is for validation only, and one with train/ is split
    as a training with the default share does it.

    Args:
        root: The folder, for messages.
        found: The splits; all signals under the name `all` if there are none.
        num_classes: Number of classes.
        config: The share, and which signals stay together.

    Returns:
        Train, val, and test if there is one; and the origin of val in words.

    Raises:
        DataError: There is nothing to train on, or nothing can be kept for validation.
    """
    splits = dict(found)
    share, whole = config.val_fraction, splits.pop("all", None)
    if share >= 1.0 and (whole is not None or "train" not in splits):
        val = whole if whole is not None else splits.get("val", splits.get("test"))
        assert val is not None  # a folder has at least one split
        return {**splits, "train": val.choose(_NONE), "val": val}, "the set's own"
    train = whole if whole is not None else splits.get("train")
    if train is None:
        raise DataError(f"{root}: nothing to train on, only {list_names(list(splits))}")
    if "val" in splits:
        return splits, "the set's own"
    share = DataConfig().val_fraction if share >= 1.0 else share
    names = [train.name(index) for index in range(len(train))]
    is_val_n = choose_val(names, train.targets_n.numpy(), num_classes, share, config.group)
    numbers_n, mask_n = torch.arange(len(train)), torch.from_numpy(np.asarray(is_val_n))
    if config.val_fraction < 1.0:
        noun = "videos" if isinstance(train, VideoSplit) else "volumes"
        refuse_no_val(root, is_val_n, noun if config.group is None else f"groups of {noun}")
    kept = {"train": train.choose(numbers_n[~mask_n]), "val": train.choose(numbers_n[mask_n])}
    return {**splits, **kept}, "by a hash"


def refuse_no_val(path: Path, is_val_n: npt.NDArray[np.bool_], noun: str) -> None:
    """Refuse a set of which nothing was chosen for validation.

    Args:
        path: The set, for the message.
        is_val_n: What `choose_val` chose.
        noun: What was chosen from, in the plural.

    Raises:
        DataError: It is one.
    """
    if not is_val_n.any():
        raise DataError(
            f"{path}: no class has two {noun} of which one can be kept for validation; add more, "
            "or give a val split"
        )
