"""The names of all images in a folder of class folders, in bounded memory."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resnext.data.decode.image_names import count_ignored, is_image
from resnext.data.names import NameBuilder, PackedNames

_NS = 10**9

Stamp = tuple[int, int, int]
"""What changes when a folder gains, loses or renames an entry: its number, its times in ns."""


@dataclass(frozen=True)
class Listing:
    """The images below a folder.

    Attributes:
        classes: The class folders, sorted.
        counts: Images in each.
        names: Their paths below the folder, class by class, sorted within each.
        ignored: How many hidden files and others that are no images there are, by their kind.
    """

    classes: tuple[str, ...]
    counts: tuple[int, ...]
    names: PackedNames
    ignored: dict[str, int]


def list_tree(root: Path) -> tuple[Listing, dict[str, Stamp]]:
    """List a folder of class folders.

    At any moment the names of one class are held as strings, all others packed.

    Returns:
        The listing, and the stamp that each folder had before it was read.
    """
    stamps = {"": stamp_of(root)}
    classes = tuple(subfolders(root))
    builder, counts, ignored = NameBuilder(), [], Counter[str]()
    for label in classes:
        images: list[str] = []
        for name, is_good in _walk(root / label, f"{label}/", stamps):
            if is_good:
                images.append(name)
            else:
                count_ignored(name.rpartition("/")[2], ignored)
        images.sort()
        builder.add(images)
        counts.append(len(images))
    names = PackedNames.of(*builder.arrays())
    return Listing(classes, tuple(counts), names, dict(ignored)), stamps


def image_names(folder: Path) -> list[str]:
    """Return the names of all images below a folder, sorted, with `/` between folders."""
    return sorted(name for name, is_good in _walk(folder, "", {}) if is_good)


def stamp_of(folder: Path) -> Stamp:
    """Return a folder's stamp.

    The time of change (ctime) is part of it: a copying program may set the time of
    modification back, but not that.
    """
    status = folder.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def is_settled(stamps: dict[str, Stamp], seconds: float) -> bool:
    """Tell whether all folders have been left alone for a while.

    The clock of a file system has ticks; a change right after another one may carry the
    same time and could not be seen later.
    """
    newest = max(max(modified, changed) for _, modified, changed in stamps.values())
    return newest <= time.time_ns() - seconds * _NS


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder that are not hidden, sorted."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if not e.name.startswith(".") and is_folder(e))


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _walk(folder: Path, prefix: str, stamps: dict[str, Stamp]) -> Iterator[tuple[str, bool]]:
    """Yield every file below a folder, as its name after a prefix and whether it is an image."""
    stamps[prefix] = stamp_of(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if not name.startswith("."):
                    yield from _walk(folder / name, f"{prefix}{name}/", stamps)
            else:
                yield prefix + name, is_image(entry)
