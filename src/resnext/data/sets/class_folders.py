"""Checks and names the class folders of a data set."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from resnext.data.sets.listing import is_folder
from resnext.data.sets.notices import warn_once
from resnext.errors import DataError
from resnext.untrusted.names import list_names
from resnext.untrusted.text import printable


def check_class_folders(root: Path) -> None:
    """Check for links that would silently add or remove a class; log hidden folders.

    Args:
        root: The folder of the class folders.

    Raises:
        DataError: A link is broken, leads to a parent of the class folders, or into another class.
        OSError: The folder cannot be read.
    """
    with os.scandir(root) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    hidden = [entry.name for entry in found if entry.name.startswith(".") and is_folder(entry)]
    if hidden:
        warn_once(f"{root}: left out hidden folders: {list_names(hidden)}")
    visible = [entry for entry in found if not entry.name.startswith(".")]
    links = [entry.name for entry in visible if entry.is_symlink()]
    if broken := [name for name in links if not _exists(root / name)]:
        raise DataError(
            f"{root}: {list_names(broken)} is a broken link, so a class may be missing; restore "
            "its target, or remove the link"
        )
    if links:
        _check_places(root, [entry.name for entry in visible if is_folder(entry)], set(links))


def _check_places(root: Path, folders: Sequence[str], links: set[str]) -> None:
    """Check for links that would give an image two classes."""
    holder = f"{os.path.realpath(root)}{os.sep}"
    prefixes = []
    for name in folders:
        is_link = name in links
        prefix = (
            f"{os.path.realpath(root / name)}{os.sep}" if is_link else f"{holder}{name}{os.sep}"
        )
        if is_link and holder.startswith(prefix):
            raise DataError(
                f"{root / name} is a link to a folder that contains the class folders, and would "
                "be a class with all their images; remove the link"
            )
        prefixes.append((prefix, name))
    prefixes.sort()  # what lies in a folder comes right after it
    for (outer, one), (inner, two) in pairwise(prefixes):
        if inner.startswith(outer):
            raise DataError(
                f"{root}: {one} and {two} lead to the same images, which would have two classes; "
                "remove the link"
            )


def name_classes(root: Path, folders: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """Name classes after their folders, in normalised Unicode (NFC).

    Systems differ in their Unicode form of accented letters, and `train/` and `val/` may have been
    copied from different systems.

    Returns:
        The names, sorted, and the label of each folder.

    Raises:
        DataError: Two folders have the same name in different forms.
    """
    names = [unicodedata.normalize("NFC", folder) for folder in folders]
    classes = tuple(sorted(set(names)))
    if len(classes) < len(names):
        double = next(name for name in classes if names.count(name) > 1)
        raise DataError(
            f"{root}: two folders are called {list_names([double])} in different forms of "
            "Unicode; move their images to one of them"
        )
    labels = {name: label for label, name in enumerate(classes)}
    return classes, [labels[name] for name in names]


def describe_lookalikes(some: Sequence[str], others: Sequence[str]) -> str:
    """Describe names that differ only in case, spaces or width, for the end of a message."""
    by_look = {_look(name): name for name in others}
    pairs = [(name, by_look[_look(name)]) for name in some if _look(name) in by_look]
    if not pairs:
        return ""
    one, two = pairs[0]
    return (
        f"; {printable(one)!r} and {printable(two)!r} differ only in case, spaces or Unicode "
        "form; give them the same name"
    )


def remark_on_lookalikes(classes: Sequence[str]) -> tuple[str, ...]:
    """Describe classes of one data set whose names hardly differ, and may be meant to be one."""
    by_look: dict[str, list[str]] = defaultdict(list)
    for name in classes:
        by_look[_look(name)].append(name)
    alike = [" and ".join(map(repr, names)) for names in by_look.values() if len(names) > 1]
    if not alike:
        return ()
    return (
        f"classes that differ only in case, spaces or Unicode form: {list_names(alike, 3)}; if "
        "they are one class, move their images into one folder",
    )


def _look(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True
