"""Lists all images in a folder of class folders, in bounded memory."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from resnext.data.decode.image_names import EXTENSIONS, count_ignored, is_image
from resnext.data.names import NameBuilder, PackedNames

_NS = 10**9

Stamp = tuple[int, int, int]
"""Inode and times in ns of a folder, which change when an entry is added, removed or renamed."""


@dataclass(frozen=True)
class FileKind:
    """Which files belong to a data set.

    Attributes:
        noun: What one of them is called, such as `image`.
        endings: Their extensions, in lower case.
        accepts: Returns whether an entry of a folder is such a file, and not hidden.
    """

    noun: str
    endings: tuple[str, ...]
    accepts: Callable[[os.DirEntry[str]], bool]

    @property
    def nouns(self) -> str:
        """The noun in the plural."""
        return f"{self.noun}s"


IMAGES = FileKind("image", tuple(sorted(EXTENSIONS)), is_image)


@dataclass(frozen=True)
class Listing:
    """The images, or files of another kind, below a folder.

    Attributes:
        classes: The class folders, sorted.
        counts: Number of images of each class.
        names: Relative paths, class by class, sorted within each.
        ignored: Number of hidden files and files that are not images, by kind.
    """

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    names: PackedNames
    ignored: dict[str, int]


def list_tree(root: Path, kind: FileKind = IMAGES) -> tuple[Listing, dict[str, Stamp]]:
    """List a folder of class folders.

    Only the names of one class at a time are held as strings, all others are packed.

    Args:
        root: The folder.
        kind: Which files are listed.

    Returns:
        The listing, and the stamp of each folder from before it was read.
    """
    stamps = {"": stamp_of(root)}
    classes = tuple(subfolders(root))
    builder, counts, ignored = NameBuilder(), [], Counter[str]()
    for label in classes:
        images: list[str] = []
        for name, is_good in _walk(root / label, f"{label}/", stamps, kind):
            if is_good:
                images.append(name)
            else:
                count_ignored(name.rpartition("/")[2], ignored)
        images.sort()
        builder.add(images)
        counts.append(len(images))
    names = PackedNames.of(*builder.arrays())
    return Listing(classes, tuple(counts), names, dict(ignored)), stamps


def file_names(folder: Path, kind: FileKind = IMAGES) -> list[str]:
    """Return the names of all files of a kind below a folder, sorted, with `/` between folders."""
    return sorted(name for name, is_good in _walk(folder, "", {}, kind) if is_good)


def stamp_of(folder: Path) -> Stamp:
    """Return a folder's stamp.

    It includes the time of change (ctime), because programs can reset the modification time but not
    that.
    """
    status = folder.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def is_settled(stamps: dict[str, Stamp], seconds: float) -> bool:
    """Return whether no folder has changed recently.

    File system clocks are coarse, so a change right after another may have the same time and go
    unnoticed.
    """
    newest = max(max(modified, changed) for _, modified, changed in stamps.values())
    return newest <= time.time_ns() - seconds * _NS


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder that are not hidden, sorted."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if not e.name.startswith(".") and is_folder(e))


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _walk(
    folder: Path, prefix: str, stamps: dict[str, Stamp], kind: FileKind
) -> Iterator[tuple[str, bool]]:
    """Yield every file below a folder: its prefixed name, and whether it is of a kind."""
    stamps[prefix] = stamp_of(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if not name.startswith("."):
                    yield from _walk(folder / name, f"{prefix}{name}/", stamps, kind)
            else:
                yield prefix + name, kind.accepts(entry)
