"""Evaluation protocols beyond the validation split: other class lists, ReaL labels, ImageNet-V2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unicodedata import normalize

import torch

from resnext.data.sets.folders import list_classes
from resnext.data.split import Split
from resnext.errors import ConfigError, DataError
from resnext.untrusted.names import list_names
from resnext.untrusted.parse import read_json

_NUM_IMAGENET_CLASSES = 1000
_VAL_NAME = re.compile(r"ILSVRC2012_val_(\d{8})\.")

_list_names = partial(list_names, write=repr)


def map_classes(known: Sequence[str], asked: Sequence[str], num_outputs: int) -> list[int] | None:
    """Find the output of a network for each class of a data set, by name.

    Args:
        known: Class names of the network, in the order of its outputs; empty if unknown.
        asked: Class names of the data set.
        num_outputs: Outputs of the network.

    Returns:
        The output of each given class, or None if the two lists are the same.

    Raises:
        DataError: The network does not have one of the classes, or the names are unknown and the
            numbers differ.
    """
    if not known:
        if len(asked) != num_outputs:
            raise DataError(
                f"the weights have no class names and {num_outputs} outputs, but the data set "
                f"has {len(asked)} classes; give a data set with the same classes"
            )
        return None
    if tuple(known) == tuple(asked):
        return None
    # Systems differ in the form of accented letters; folders of other tools keep theirs.
    outputs = {normalize("NFC", name): output for output, name in enumerate(known)}
    if unknown := [name for name in asked if normalize("NFC", name) not in outputs]:
        raise DataError(
            f"the network was not trained on {len(unknown)} of the {len(asked)} classes of the "
            f"data set: {_list_names(unknown)}. It knows {len(known)}: {_list_names(known)}. "
            "Class folders must have the same names as in training"
        )
    return [outputs[normalize("NFC", name)] for name in asked]


def load_real_labels(path: Path, split: Split, num_classes: int) -> list[list[int]]:
    """Read the reassessed labels (ReaL) of ImageNet's validation images.

    The official `real.json` lists, for ILSVRC2012_val_00000001 to _00050000, the classes visible in
    the image; images with an empty list are not counted.

    Args:
        path: The official file.
        split: The validation images; their file names contain their numbers.
        num_classes: Classes of the data set.

    Returns:
        The list of each image of the split.

    Raises:
        ConfigError: The split is not ImageNet's validation split.
        DataError: The file cannot be read or does not cover the images.

    Source: Beyer et al., "Are we done with ImageNet?", arXiv 2006.07159.
    """
    if split.stored_nhwc is not None or num_classes != _NUM_IMAGENET_CLASSES:
        raise ConfigError(
            f"ReaL labels belong to ImageNet's validation images and 1000 classes, not to this "
            f"data set of {num_classes}; use them with --data imagenet:FOLDER"
        )
    every = _read_label_lists(path)
    numbers = [_image_number(split.name(index)) for index in range(len(split))]
    if max(numbers) > len(every):
        raise DataError(f"{path} has {len(every)} lists, but there is an image {max(numbers)}")
    return [every[number - 1] for number in numbers]


def nearest_listed(
    log_probs_bk: torch.Tensor, listed: Sequence[Sequence[int]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Use as label the listed class of an image that the network prefers.

    A prediction is therefore correct if it is listed, and metrics for single labels apply.

    Args:
        log_probs_bk: Logarithms of the class probabilities.
        listed: Acceptable classes of each of the b images.

    Returns:
        A mask of the images whose list is not empty, and the labels of those images.
    """
    allowed_bk = torch.zeros(log_probs_bk.shape, dtype=torch.bool)
    for row, classes in enumerate(listed):
        allowed_bk[row, list(classes)] = True
    allowed_bk = allowed_bk.to(log_probs_bk.device)
    kept_b = allowed_bk.any(dim=1)
    return kept_b, log_probs_bk.masked_fill(~allowed_bk, -torch.inf).argmax(dim=1)[kept_b]


def load_imagenet_v2(root: Path, num_outputs: int) -> Split:
    """List the images of an ImageNet-V2 folder.

    Its class folders are named 0 to 999, the index of the class in the sorted synsets. The names
    are parsed as numbers, as text sorting would place 10 before 2.

    Args:
        root: One of the folders `imagenetv2-...-format-val`.
        num_outputs: Outputs of the network.

    Raises:
        ConfigError: The network does not have ImageNet's 1000 classes.
        DataError: A folder is not named by a number from 0 to 999, or there is none.

    Source: Recht et al., "Do ImageNet classifiers generalize to ImageNet?", ICML 2019.
    """
    if num_outputs != _NUM_IMAGENET_CLASSES:
        raise ConfigError(
            f"ImageNet-V2 needs a network of ImageNet's 1000 classes; this one has {num_outputs}"
        )
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder; give an ImageNet-V2 folder, such as "
            "imagenetv2-matched-frequency-format-val"
        )
    names, split = list_classes(root)
    wrong = [n for n in names if not (n.isascii() and n.isdecimal() and int(n) < num_outputs)]
    if wrong:
        raise DataError(
            f"{root} is not an ImageNet-V2 folder: its class folders must be named 0 to 999, "
            f"but there is {_list_names(wrong)}"
        )
    numbers = torch.tensor([int(name) for name in names])
    return split.relabel(numbers[split.targets_n])


def _image_number(name: str) -> int:
    found = _VAL_NAME.search(name)
    if found is None:
        raise DataError(
            f"{name}: ReaL labels need file names such as ILSVRC2012_val_00000001.JPEG; keep the "
            "official names of the validation images"
        )
    return int(found.group(1))


def _read_label_lists(path: Path) -> list[list[int]]:
    try:
        value: Any = read_json(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"cannot read the ReaL labels {path}: {reason}; give the official real.json"
        ) from None
    good = isinstance(value, list) and all(
        isinstance(row, list)
        and all(isinstance(k, int) and 0 <= k < _NUM_IMAGENET_CLASSES for k in row)
        for row in value
    )
    if not good:
        raise DataError(
            f"{path} does not contain ReaL labels: expected a list with, for each validation "
            "image, a list of class numbers from 0 to 999"
        )
    assert isinstance(value, list)
    return value
