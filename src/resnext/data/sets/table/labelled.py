"""The labelled images of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from resnext.data.config import TargetKind
from resnext.data.file_split import FileSplit
from resnext.data.sets.layout import SplitName, split_of
from resnext.data.sets.notices import warn_once
from resnext.errors import DataError
from resnext.untrusted.names import shown

_NUM_SHOWN = 5


@dataclass(frozen=True)
class Labelled:
    """The images of a table.

    Attributes:
        classes: Names of the classes.
        files: The images, in the order of the rows.
        splits: The split of each image, or None if the table has none.
        bad_rows: Reasons of omitted rows, by number.
        targets: Kind of target of an image.
    """

    classes: tuple[str, ...]
    files: FileSplit
    splits: list[SplitName] | None
    bad_rows: dict[int, str]
    targets: TargetKind = "class"


def number_classes(
    labels: Sequence[str], order: Sequence[str] = ()
) -> tuple[tuple[str, ...], torch.Tensor]:
    """Number the classes.

    Args:
        labels: The label of each image.
        order: All classes in order, if given by the table; otherwise integers are in numerical
            order, and other names are sorted.

    Returns:
        The classes, and the number of each image's class, int64.
    """
    names = set(labels)
    if order and names <= set(order):
        classes = tuple(order)
    elif all(name.isascii() and name.isdigit() for name in names):
        classes = tuple(sorted(names, key=lambda name: (int(name), name)))
    else:
        classes = tuple(sorted(names))
    number = {name: index for index, name in enumerate(classes)}
    return classes, torch.from_numpy(np.array([number[label] for label in labels], dtype=np.int64))


def log_bad_rows(
    path: Path, what: str, bad_rows: Mapping[int, str] | Mapping[str, str], num_rows: int
) -> None:
    """Warn about omitted rows, listing the first ones by their numbers or places."""
    if not bad_rows:
        return
    first = "; ".join(f"{what} {row} {why}" for row, why in list(bad_rows.items())[:_NUM_SHOWN])
    more = f"; and {len(bad_rows) - _NUM_SHOWN:,} more" if len(bad_rows) > _NUM_SHOWN else ""
    warn_once(f"{path}: left out {len(bad_rows):,} of {num_rows:,} rows: {first}{more}")


def warn_of_repeats(path: Path, names: Sequence[str]) -> None:
    """Warn about images that occur in several rows."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        warn_once(
            f"{path}: {len(repeated):,} images occur in several rows, such as "
            f"{shown(repeated[0])}. Rows with different labels contradict each other; for several "
            "labels write one row with all of them, separated by |"
        )


def parse_split(where: str, value: str) -> SplitName:
    """Return the split in a cell.

    Raises:
        DataError: It is not a split; the message starts with the position.
    """
    split = split_of(value)
    if split is None:
        raise DataError(f"{where}: {shown(value)} is not a split; accepted are train, val and test")
    return split
