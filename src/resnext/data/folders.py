"""Images in class folders: listing them, and splitting them where the person did not."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from resnext.data.class_folders import (
    check_class_folders,
    describe_lookalikes,
    list_names,
    name_classes,
)
from resnext.data.image_names import EXTENSIONS, describe_ignored
from resnext.data.listing import subfolders
from resnext.data.listing_cache import list_images
from resnext.data.split import DataInfo, DataSet, FileSplit
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8

_LOG = logging.getLogger(__name__)
_VAL_NAMES = ("val", "valid", "validation", "test")
CLASS_LIST = "imagenet5k.tsv"
"""The file that tells a folder of ImageNet-5K from one of ImageNet-1K."""

_DEFAULT_SIZE_PX = 224
# Statistics of ImageNet's training images, which the field uses for photographs.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def load_folder(root: Path, val_fraction: float, name: str = "folder") -> DataSet:
    """List a folder of class folders.

    With `train/` and one of `val/`, `valid/`, `validation/`, `test/` (the first of these
    that exists), those are the splits. Otherwise the class folders lie in the root, and a
    hash of each file's name below the root decides its split, so a file never changes
    sides when others come or go.

    An image is a file with one of `image_names.EXTENSIONS`, or without any extension but with
    the content of an image, at any depth below its class folder; hidden files and others are
    left out, and how many of which kind is logged. A link to a folder is
    followed only if it is a class folder.

    Args:
        root: The folder.
        val_fraction: Share kept for validation where the folder has no split of its own; with 1
            there are no training images, and need be none in a folder of their own.
        name: Name of the set.

    Raises:
        DataError: There are no class folders, a class is empty, a split is missing or
            holds other classes.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that holds the class folders")
    train_dir = root / "train"
    val_dirs = [root / part for part in _VAL_NAMES if _holds_folders(root / part)]
    if _holds_folders(train_dir) or (val_dirs and train_dir.is_dir()):
        if not val_dirs:
            raise DataError(
                f"{root} has train/ but no validation split; add one of "
                f"{', '.join(f'{part}/' for part in _VAL_NAMES)} with the same class folders, or "
                f"give {train_dir} to have a share of it kept for validation"
            )
        return _with_own_split(train_dir, val_dirs[0], name)
    if val_fraction == 1:
        return _without_training(val_dirs[0] if val_dirs else root, name)
    if val_dirs:
        raise DataError(
            f"{root} has {val_dirs[0].name}/ with class folders but no train/; add train/ with the "
            f"same class folders, or give {val_dirs[0]} to have it split"
        )
    return _with_hashed_split(root, val_fraction, name)


def load_imagenet(root: Path) -> DataSet:
    """List ImageNet: `train/` and `val/`, each with a folder for every class (synset).

    Where the class list of ImageNet-5K lies beside them, val/ may have fewer classes.

    Raises:
        DataError: As `load_folder`, or the validation images are not sorted into classes.
    """
    for part in ("train", "val"):
        if not _holds_folders(root / part):
            raise DataError(
                f"{root / part} holds no class folders; ImageNet needs {root}/train/CLASS and "
                f"{root}/val/CLASS, with the validation images sorted into their classes"
            )
    if (root / CLASS_LIST).exists():
        return _with_fewer_in_val(root / "train", root / "val")
    return _with_own_split(root / "train", root / "val", "imagenet")


def _with_fewer_in_val(train_dir: Path, val_dir: Path) -> DataSet:
    """List ImageNet-5K, whose validation images are those of the 1K classes among its own."""
    classes, train = list_classes(train_dir)
    val_classes, val = list_classes(val_dir)
    places = {name: place for place, name in enumerate(classes)}
    if unknown := [name for name in val_classes if name not in places]:
        raise DataError(f"{val_dir} holds classes that {train_dir} does not: {list_names(unknown)}")
    labels = torch.tensor([places[name] for name in val_classes])
    return DataSet(_info("imagenet", classes), train, replace(val, labels_n=labels[val.labels_n]))


def _with_own_split(train_dir: Path, val_dir: Path, name: str) -> DataSet:
    classes, train = list_classes(train_dir)
    val_classes, val = list_classes(val_dir)
    if classes != val_classes:
        only_train = sorted(set(classes) - set(val_classes))
        only_val = sorted(set(val_classes) - set(classes))
        raise DataError(
            f"{train_dir} and {val_dir} hold different classes: only in {train_dir.name}/: "
            f"{list_names(only_train)}; only in {val_dir.name}/: {list_names(only_val)}"
            f"{describe_lookalikes(only_train, only_val)}"
        )
    return DataSet(_info(name, classes), train, val)


def _without_training(folder: Path, name: str) -> DataSet:
    classes, files = list_classes(folder)
    none = files.choose(torch.empty(0, dtype=torch.int64))
    return DataSet(_info(name, classes), none, files)


def _with_hashed_split(root: Path, val_fraction: float, name: str) -> DataSet:
    classes, files = list_classes(root)
    hashes = (name_hash(file) < val_fraction for file in files.names)
    in_val = torch.from_numpy(np.fromiter(hashes, dtype=np.bool_, count=len(files)))
    train, val = (files.choose(mask.nonzero().flatten()) for mask in (~in_val, in_val))
    counts_k = torch.bincount(train.labels_n, minlength=len(classes)).tolist()
    unseen = [label for label, count in zip(classes, counts_k, strict=True) if not count]
    if unseen or not len(val):
        what = f"no training image of {list_names(unseen)}" if unseen else "no validation image"
        raise DataError(
            f"the split by a hash of the file names leaves {what} of {root}; add images, change "
            f"val_fraction={val_fraction} or make train/ and val/ yourself"
        )
    return DataSet(_info(name, classes), train, val)


def name_hash(name: str) -> float:
    """Map a file's name below the root to a number in [0, 1) that never changes."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def list_classes(root: Path) -> tuple[tuple[str, ...], FileSplit]:
    """List the images of a folder of class folders.

    Returns:
        The class names, sorted, and the files, sorted within each class.

    Raises:
        DataError: There is no class folder, or one without an image or with a name not in UTF-8,
            a link is in the way, or something cannot be read.
    """
    try:
        check_class_folders(root)
        listing = list_images(root)
    except OSError as error:
        raise DataError(
            f"{error.filename or root}: {error.strerror}; make it readable, or remove it"
        ) from None
    classes = listing.classes
    if not classes:
        raise DataError(
            f"{root} holds no class folders; put the images of each class into a folder of its own"
        )
    if foreign := [label for label in classes if not is_utf8(label)]:
        raise DataError(
            f"{root}: the names of {list_names(foreign)} are not UTF-8, in which a network keeps "
            "the names of its classes; rename the folders"
        )
    counted = zip(classes, listing.counts, strict=True)
    if empty := [label for label, count in counted if not count]:
        raise DataError(
            f"no image in {list_names(empty)} of {root}; remove the folder or add images "
            f"({', '.join(sorted(EXTENSIONS))})"
        )
    if listing.ignored:
        left_out = describe_ignored(listing.ignored)
        _LOG.warning("%s: left out files that are no images: %s", root, left_out)
    names, labels = name_classes(root, classes)
    labels_n = torch.tensor(labels).repeat_interleave(torch.tensor(listing.counts))
    return names, FileSplit(root, listing.names, labels_n)


def _holds_folders(folder: Path) -> bool:
    try:
        return folder.is_dir() and bool(subfolders(folder))
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; make it readable, or remove it") from None


def _info(name: str, classes: tuple[str, ...]) -> DataInfo:
    return DataInfo(name, classes, 3, _DEFAULT_SIZE_PX, _MEAN, _STD)
