"""Splits a folder by class and file names.

Every group of related images (by default each image is its own group) has a number in [0, 1) from a
hash of its name. Groups go to validation in the order of these numbers until each class has its
share. The split therefore depends neither on the order of files nor on a seed, and adding or
removing a file moves at most about one other image of its class.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from resnext.errors import ConfigError
from resnext.untrusted.names import shown


def name_hash(name: str) -> float:
    """Map a name to a fixed number in [0, 1)."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def choose_val(
    names: Sequence[str],
    targets_n: NDArray[np.int64],
    num_classes: int,
    val_fraction: float,
    pattern: str | None = None,
) -> NDArray[np.bool_]:
    """Select the validation images of a folder without splits.

    Args:
        names: Path of each image below the folder.
        targets_n: Class of each image.
        num_classes: Number of classes.
        val_fraction: Fraction of each class for validation, at least one image and never all.
        pattern: Regular expression; images for which it matches the same text (its first group if
            it has one) stay in the same split. An image without a match is its own group.

    Returns:
        Whether each image is for validation. A class with one image, or with a single group, is
        only for training.

    Raises:
        ConfigError: The pattern is not a regular expression.
    """
    keys = list(names) if pattern is None else _group_names(names, pattern)
    group_n = np.unique(np.asarray(keys, dtype=object), return_inverse=True)[1]
    num_groups = int(group_n.max(initial=-1)) + 1
    first_of_group = np.full(num_groups, len(keys))
    np.minimum.at(first_of_group, group_n, np.arange(len(keys)))
    order = sorted(range(num_groups), key=lambda group: name_hash(keys[first_of_group[group]]))
    counts_k = np.bincount(targets_n, minlength=num_classes)
    wanted_k = np.clip(np.round(counts_k * val_fraction), 1, counts_k - 1).astype(np.int64)
    in_val = _take(_members(group_n, targets_n, num_groups), order, counts_k, wanted_k)
    chosen: NDArray[np.bool_] = in_val[group_n]
    return chosen


def _group_names(names: Sequence[str], pattern: str) -> list[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            f"data.group={shown(pattern)} is not a regular expression: {error}; an example for "
            r"names such as patient12_3.png is patient\d+"
        ) from None
    keys = []
    for name in names:
        found = expression.search(name)
        # a match and the name of a file that has none must not meet
        keys.append(f"/{found[1] if expression.groups else found[0]}" if found else name)
    return keys


def _members(
    group_n: NDArray[np.int64], targets_n: NDArray[np.int64], num_groups: int
) -> list[dict[int, int]]:
    """Count the images of each class in each group."""
    members: list[dict[int, int]] = [{} for _ in range(num_groups)]
    for group, label in zip(group_n.tolist(), targets_n.tolist(), strict=True):
        members[group][label] = members[group].get(label, 0) + 1
    return members


def _take(
    members: list[dict[int, int]],
    order: list[int],
    counts_k: NDArray[np.int64],
    wanted_k: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Select groups in order while they bring the classes closer to their shares."""
    left_k, missing_k = counts_k.tolist(), wanted_k.tolist()
    in_val = np.zeros(len(members), dtype=np.bool_)
    for group in order:
        member = members[group]
        useful = sum(min(max(missing_k[label], 0), count) for label, count in member.items())
        keeps_train = all(left_k[label] > count for label, count in member.items())
        if keeps_train and 2 * useful >= sum(member.values()):
            in_val[group] = True
            for label, count in member.items():
                left_k[label] -= count
                missing_k[label] -= count
    return in_val
