"""Images in class folders, with their own splits or one by file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.data.decode.image_names import describe_ignored
from resnext.data.file_split import FileSplit
from resnext.data.sets.class_folders import (
    check_class_folders,
    describe_lookalikes,
    name_classes,
    remark_on_lookalikes,
)
from resnext.data.sets.layout import SplitName, find_layout
from resnext.data.sets.listing import IMAGES, FileKind, subfolders
from resnext.data.sets.listing_cache import list_images
from resnext.data.sets.notices import warn_once
from resnext.data.sets.photo_info import photo_info
from resnext.data.sets.split_photos import SplitRule, automatic_split, refuse_one_class
from resnext.data.split import DataSet
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8, list_names

CLASS_LIST = "imagenet5k.tsv"
"""The file that tells a folder of ImageNet-5K from one of ImageNet-1K."""


def load_folder(
    root: Path,
    val_fraction: float,
    *,
    rule: SplitRule = "class",
    group: str | None = None,
    kind: FileKind = IMAGES,
) -> DataSet:
    """List a folder of class folders.

    Folders called train, val and test, in the usual spellings and any letter case, are the
    splits. Where there are no validation images, a share of the training images is kept for
    validation; test images are never trained on. Where there is no split at all, the class
    folders lie in the root.

    An image is a file with one of `image_names.EXTENSIONS`, or without any extension but with
    the content of an image, at any depth below its class folder; hidden files and others are
    left out, and how many of which kind is logged. A link to a folder is followed only if it
    is a class folder.

    Args:
        root: The folder.
        val_fraction: Share of the training images kept for validation where there are no
            others; with 1, and no train/, all images are for validation. With 1 and train/, the
            split is that of a training with the default share.
        rule: How they are chosen: `class`, a share of each class, or `hash`, each image by a
            hash of its name alone, as earlier versions did.
        group: Regular expression: images for which it matches the same text stay together.
        kind: Which files are listed.

    Raises:
        DataError: There are no class folders, a class is empty, the layout is another, or the
            splits hold different classes.
    """
    layout = find_layout(root, kind)
    data = _load_layout(root, val_fraction, dict(layout.splits), rule, group, kind)
    remarks = layout.remarks + remark_on_lookalikes(data.info.classes)
    return replace(data, remarks=data.remarks + remarks)


def _load_layout(
    root: Path,
    val_fraction: float,
    splits: dict[SplitName, Path],
    rule: SplitRule,
    group: str | None,
    kind: FileKind,
) -> DataSet:
    """List the class folders of the splits that were found."""
    if rule == "hash" and "test" in splits and "val" not in splits:
        splits["val"] = splits.pop("test")  # as earlier versions did
    if not splits:
        if val_fraction == 1:
            return _without_training(root, kind)
        return automatic_split(
            root, "folder", *list_classes(root, kind), val_fraction, rule=rule, group=group
        )
    if "train" not in splits:
        if val_fraction == 1:
            given = splits.get("val") or splits["test"]
            return _with_test(_without_training(given, kind), splits, kind)
        given = next(iter(splits.values()))
        raise DataError(
            f"{root} has {given.name}/ with class folders but no train/; add train/ with the "
            f"same class folders, or give {given} to have it split"
        )
    if "val" in splits:
        data = _with_own_split(splits["train"], splits["val"], "folder", kind)
        refuse_one_class(splits["train"], data.info.classes)
        return _with_test(data, splits, kind)
    train_dir = splits["train"]
    if val_fraction == 1:
        val_fraction = DataConfig().val_fraction
    data = automatic_split(
        train_dir, "folder", *list_classes(train_dir, kind), val_fraction, rule=rule, group=group
    )
    return _with_test(data, splits, kind)


def _with_test(data: DataSet, splits: Mapping[SplitName, Path], kind: FileKind) -> DataSet:
    """Add the test images, which may lack classes."""
    if "test" not in splits:
        return data
    return replace(data, test=_with_labels_of(data.info.classes, splits["test"], kind))


def _with_labels_of(classes: Sequence[str], folder: Path, kind: FileKind = IMAGES) -> FileSplit:
    """List a folder whose classes are among those given, with their labels."""
    own, files = list_classes(folder, kind)
    indices = {name: index for index, name in enumerate(classes)}
    if unknown := [name for name in own if name not in indices]:
        raise DataError(
            f"{folder} holds classes that training does not: {list_names(unknown)}"
            f"{describe_lookalikes(unknown, classes)}"
        )
    labels = torch.tensor([indices[name] for name in own])
    return replace(files, targets_n=labels[files.targets_n])


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
    return DataSet(photo_info("imagenet", classes), train, _with_labels_of(classes, val_dir))


def _with_own_split(train_dir: Path, val_dir: Path, name: str, kind: FileKind = IMAGES) -> DataSet:
    classes, train = list_classes(train_dir, kind)
    val_classes, val = list_classes(val_dir, kind)
    if classes != val_classes:
        only_train = sorted(set(classes) - set(val_classes))
        only_val = sorted(set(val_classes) - set(classes))
        raise DataError(
            f"{train_dir} and {val_dir} hold different classes: only in {train_dir.name}/: "
            f"{list_names(only_train)}; only in {val_dir.name}/: {list_names(only_val)}"
            f"{describe_lookalikes(only_train, only_val)}"
        )
    return DataSet(photo_info(name, classes), train, val)


def _without_training(folder: Path, kind: FileKind) -> DataSet:
    classes, files = list_classes(folder, kind)
    none = files.choose(torch.empty(0, dtype=torch.int64))
    return DataSet(photo_info("folder", classes), none, files)


def list_classes(root: Path, kind: FileKind = IMAGES) -> tuple[tuple[str, ...], FileSplit]:
    """List the images, or files of another kind, of a folder of class folders.

    Returns:
        The class names, sorted, and the files, sorted within each class.

    Raises:
        DataError: There is no class folder, or one without an image or with a name not in UTF-8,
            a link is in the way, or something cannot be read.
    """
    try:
        check_class_folders(root)
        listing = list_images(root, kind)
    except OSError as error:
        raise DataError(
            f"{error.filename or root}: {error.strerror}; make it readable, or remove it"
        ) from None
    classes = listing.classes
    if not classes:
        raise DataError(
            f"{root} holds no class folders; put the {kind.nouns} of each class into a folder of "
            "its own"
        )
    if foreign := [label for label in classes if not is_utf8(label)]:
        raise DataError(
            f"{root}: the names of {list_names(foreign)} are not UTF-8, in which a network keeps "
            "the names of its classes; rename the folders"
        )
    counted = zip(classes, listing.counts, strict=True)
    if empty := [label for label, count in counted if not count]:
        raise DataError(
            f"no {kind.noun} in {list_names(empty)} of {root}; remove the folder or add "
            f"{kind.nouns} ({', '.join(kind.endings)})"
        )
    if listing.ignored:
        left_out = describe_ignored(listing.ignored)
        warn_once(f"{root}: left out files that are no {kind.nouns}: {left_out}")
    names, labels = name_classes(root, classes)
    targets_n = torch.tensor(labels).repeat_interleave(torch.tensor(listing.counts))
    return names, FileSplit(root, listing.names, targets_n)


def _holds_folders(folder: Path) -> bool:
    try:
        return folder.is_dir() and bool(subfolders(folder))
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}; make it readable, or remove it") from None
