"""Finds masks whose values probably do not mean what they are taken for. Legend: 256 values v."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.mask_rule import MaskRule
from resnext.data.split import Split
from resnext.errors import DataError

_MANY = 0.05
_HARDLY_ANY = 0.001


def check_splits(root: Path, splits: Mapping[str, Split]) -> None:
    """Check that each split has pixels with a class.

    Raises:
        DataError: A split has none.
    """
    for name, split in splits.items():
        if len(split) and not int(split.targets_n.sum()):
            raise DataError(
                f"{root}: no pixel of the {len(split):,} masks for {name} has a class; check the "
                "values of the masks, and the value without a class: --set data.ignore_value=VALUE"
            )


def find_remarks(rule: MaskRule, counts_v: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Warn where a value without a class is probably a class.

    That is where it covers much and a class is missing, or one class covers all the rest: binary
    masks of 0 and 255 that are listed as 0 and 1, or in which one pixel has another value.
    """
    if rule.ignored is None or not counts_v[rule.ignored]:
        return ()
    total = int(counts_v.sum())
    counts_k = counts_v[list(rule.values)]
    empty = [name for name, count in zip(rule.classes, counts_k, strict=True) if not count]
    is_lonely = counts_k.max() >= (1 - _HARDLY_ANY) * counts_k.sum()
    share = int(counts_v[rule.ignored]) / total
    if share < _MANY or not (empty or is_lonely):
        return ()
    most = rule.classes[int(counts_k.argmax())]
    what = f"no pixel has the class {empty[0]}" if empty else f"nearly all others are {most}"
    return (
        f"{100 * share:.1f} % of all pixels have the value {rule.ignored} and so no class, and "
        f"{what}. If {rule.ignored} is a class, list the classes with their values in classes.txt, "
        f"such as 0 background and {rule.ignored} foreground",
    )
