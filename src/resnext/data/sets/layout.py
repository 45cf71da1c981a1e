"""Finds the splits of a folder, and refuses layouts that are not class folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnext.data.sets.listing import FileKind, subfolders
from resnext.data.sets.notices import warn_once
from resnext.data.sets.siblings import ANY_FILES, folders_with_files, loose_files
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
    """The location of the class folders.

    Attributes:
        root: The given folder.
        splits: The folder of each split; empty if the class folders are in `root`.
        remarks: What was left out beside the splits or classes, or may not be a class.
    """

    root: Path
    splits: dict[SplitName, Path]
    remarks: tuple[str, ...] = ()


def split_of(name: str) -> SplitName | None:
    """Return the split for a folder's name, in common spellings and any case."""
    plain = re.sub(r"[-_. ]", "", name.casefold())
    for split, spelling in _SPELLING.items():
        if re.fullmatch(f"(images?|imgs?|data)?({spelling}){_ADDITION}", plain):
            return split
    return None


def _never(_: Path) -> bool:
    return False


def find_layout(
    root: Path, kind: FileKind = ANY_FILES, is_item: Callable[[Path], bool] = _never
) -> Layout:
    """Find the splits of a folder of class folders.

    A folder is a split if it has a split's name and it, or another such folder, contains folders;
    `train` may therefore also be a class.

    Args:
        root: The folder.
        kind: Which files belong to the set.
        is_item: Returns whether a folder in a class folder is one item of the set, such as a video.

    Raises:
        DataError: The folder does not contain class folders: it wraps another folder, its
            subfolders are splits or parts instead of classes, two of them mean the same split, or
            one of them may be a split or a class.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that contains the class folders")
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
        _refuse_other_layouts(folder, is_item)
    if not splits:
        _refuse_other_layouts(root, is_item)
        return Layout(root, splits, _remarks_on_classes(root, names, kind))
    return Layout(root, splits, _remarks_beside_splits(root, splits, names, kind))


def _remarks_beside_splits(
    root: Path, splits: dict[SplitName, Path], names: list[str], kind: FileKind
) -> tuple[str, ...]:
    """Describe folders that are left out; refuse them beside a single split, which may be a class.

    Test images without class folders are usual, and only logged.
    """
    used = {folder.name for folder in splits.values()}
    left_out = folders_with_files(root, (name for name in names if name not in used), kind)
    unlabelled = [name for name in left_out if split_of(name) is not None]
    others = [name for name in left_out if name not in unlabelled]
    if unlabelled:
        warn_once(
            f"{root}: left out {_folders(unlabelled)}: the {kind.nouns} are not in class folders"
        )
    if others and len(splits) == 1:
        (only,) = splits.values()
        raise DataError(
            f"{root}: {only.name}/ contains folders, as a split does, but {_folders(others)} "
            f"beside it also hold {kind.nouns}; if all of them are classes, rename {only.name}/; "
            f"if it is a split, give {only}, or move the other folders elsewhere"
        )
    remarks = _remarks_on_loose_files(splits.values(), kind)
    if others:
        remarks.append(
            f"left out {_folders(others)} beside {_folders(sorted(used))}: the {kind.nouns} there "
            "are in none of the splits; move them into one, or elsewhere"
        )
    return tuple(remarks)


def _remarks_on_classes(root: Path, names: list[str], kind: FileKind) -> tuple[str, ...]:
    """Describe classes that may be a split, and files beside the class folders."""
    remarks = _remarks_on_loose_files([root] if names else [], kind)
    if doubtful := [name for name in names if split_of(name) is not None]:
        remarks.append(
            f"read as classes, although the names are those of splits: {_folders(doubtful)}; if "
            f"they are splits, sort their {kind.nouns} into class folders, or move them elsewhere"
        )
    return tuple(remarks)


def _remarks_on_loose_files(folders: Iterable[Path], kind: FileKind) -> list[str]:
    first = [folder / loose[0] for folder in folders if (loose := loose_files(folder, kind))]
    return [
        f"left out {kind.nouns} beside the class folders, such as {path}; move them into the "
        "folder of their class"
        for path in first
    ]


def _folders(names: list[str]) -> str:
    return list_names(names, write="{}/".format)


def _refuse_other_layouts(root: Path, is_item: Callable[[Path], bool]) -> None:
    """Refuse subfolders that are not classes, and describe them."""
    names = subfolders(root)
    if len(names) == 1:
        _refuse_wrapper(root, root / names[0], is_item)
    if len(names) > 1 and all(split_of(name) or _FOLD.fullmatch(name.casefold()) for name in names):
        raise DataError(
            f"{root} contains {list_names(names)}, which are parts of a data set and not "
            "classes; put the images of each class in a separate folder: "
            f"{root / names[0]}/CLASS/"
        )
    inner = [subfolders(root / name) for name in names]
    shared = inner[0] if inner and all(parts == inner[0] for parts in inner) else []
    are_splits = any(map(split_of, shared))
    if len(names) > 1 and (len(shared) > 1 or are_splits):
        if not are_splits and all(is_item(root / one / two) for one in names for two in shared):
            return
        where = f"{root / shared[0] / names[0]}/"
        raise DataError(
            f"each folder of {root} contains the same subfolders ({list_names(shared)}), so it "
            f"is unclear which are the classes; if these are the splits, move them up ({where}); "
            f"if they are the classes, give one folder such as {root / names[0]}"
        )


def _refuse_wrapper(root: Path, only: Path, is_item: Callable[[Path], bool]) -> None:
    """Refuse a folder whose only subfolder contains the classes, and name that subfolder."""
    inner = subfolders(only)
    while len(inner) == 1 and subfolders(only / inner[0]):
        only = only / inner[0]
        inner = subfolders(only)
    if len(inner) > 1 and not all(is_item(only / name) for name in inner):
        raise DataError(
            f"{root} contains one folder, which contains {len(inner)}: {list_names(inner)}; give "
            f"the folder whose subfolders are the classes: {only}"
        )
