"""Which folders of a data set are its splits, and which layouts are none of classes at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnext.data.sets.listing import subfolders
from resnext.errors import DataError
from resnext.untrusted.names import list_names

SplitName = Literal["train", "val", "test"]

_SPELLING: dict[SplitName, str] = {
    "train": r"train|training",
    "val": r"val|valid|validation|validate|dev|development|eval|evaluation|holdout",
    "test": r"test|testing|tests",
}
_ADDITION = r"(images?|imgs?|set|data|dataset|split|folder|dir)?\d*"
_FOLD = re.compile(r"(fold|split|part|cv)\d+")


@dataclass(frozen=True)
class Layout:
    """Where the class folders lie.

    Attributes:
        root: The folder that was given.
        splits: The folder of each split; empty where the class folders lie in `root`.
    """

    root: Path
    splits: dict[SplitName, Path]


def split_of(name: str) -> SplitName | None:
    """Return the split that a folder's name means in the usual spellings, in any letter case."""
    plain = re.sub(r"[-_. ]", "", name.casefold())
    for split, spelling in _SPELLING.items():
        if re.fullmatch(f"(images?|imgs?|data)?({spelling}){_ADDITION}", plain):
            return split
    return None


def find_layout(root: Path) -> Layout:
    """Find the splits of a folder of class folders.

    A folder is a split if its name says so and it, or another such folder, holds folders; so
    `train` may also be a class.

    Raises:
        DataError: The folder holds no classes in this place: it wraps another folder, its
            subfolders are splits or parts instead of classes, or two of them mean one split.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that holds the class folders")
    names = subfolders(root)
    splits: dict[SplitName, Path] = {}
    meant = {name: split for name in names if (split := split_of(name)) is not None}
    holding = {name for name in meant if subfolders(root / name)}
    for name, split in meant.items():
        # Kaggle's test images often lie flat, without labels.
        if not holding or (name not in holding and split == "test"):
            continue
        if split in splits:
            raise DataError(
                f"{root}: {splits[split].name}/ and {name}/ both look like the {split} split; "
                "rename or remove one of them"
            )
        splits[split] = root / name
    for folder in splits.values():
        _refuse_other_layouts(folder)
    if not splits:
        _refuse_other_layouts(root)
    return Layout(root, splits)


def _refuse_other_layouts(root: Path) -> None:
    """Stop where the subfolders are not classes, and say what they are."""
    names = subfolders(root)
    if len(names) == 1:
        _refuse_wrapper(root, root / names[0])
    if len(names) > 1 and all(split_of(name) or _FOLD.fullmatch(name.casefold()) for name in names):
        raise DataError(
            f"{root} holds {list_names(names)}, which are parts of a data set and not classes; put "
            f"the images of each class into a folder of its own: {root / names[0]}/CLASS/"
        )
    inner = [subfolders(root / name) for name in names]
    shared = inner[0] if inner and all(parts == inner[0] for parts in inner) else []
    if len(names) > 1 and (len(shared) > 1 or any(map(split_of, shared))):
        where = f"{root / shared[0] / names[0]}/"
        raise DataError(
            f"each folder of {root} holds the same subfolders ({list_names(shared)}), so it is not "
            f"clear which are the classes; where these are the splits, move them up ({where}); "
            f"where they are the classes, give one folder such as {root / names[0]}"
        )


def _refuse_wrapper(root: Path, only: Path) -> None:
    """Stop at a folder whose single subfolder holds the classes, and name that one."""
    inner = subfolders(only)
    while len(inner) == 1 and subfolders(only / inner[0]):
        only = only / inner[0]
        inner = subfolders(only)
    if len(inner) > 1:
        raise DataError(
            f"{root} holds one folder, and that holds {len(inner)}: {list_names(inner)}; give the "
            f"folder whose subfolders are the classes: {only}"
        )
