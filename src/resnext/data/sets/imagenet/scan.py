"""Counts the images of many class folders, without keeping their names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from resnext.data.decode.image_names import is_image_name

Progress = Callable[[int], None] | None
_NUM_NAMED = 5
# The work is waiting for the file system, which a network makes slow but wide.
_NUM_THREADS = 16


@dataclass
class Named:
    """A count, with the first names."""

    num: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one; the first few are remembered, so that memory stays bounded."""
        self.num += 1
        if self.num <= _NUM_NAMED:
            self.names.append(name)


@dataclass
class FolderCount:
    """Content of one class folder.

    Attributes:
        num_images: Readable, non-empty files with an image's name.
        empty: Empty image files.
        unreadable: Images without read permission, and broken links.
        other: Folders, hidden files and files that are not images.
    """

    num_images: int = 0
    empty: Named = field(default_factory=Named)
    unreadable: Named = field(default_factory=Named)
    other: Named = field(default_factory=Named)


def scan_folders(root: Path, names: Iterable[str], progress: Progress) -> dict[str, FolderCount]:
    """Scan every file of some class folders with one `stat` each, without opening files.

    Args:
        root: Their parent folder.
        names: The class folders.
        progress: Called with the images of each completed folder.
    """
    found = {}
    names = list(names)
    with ThreadPoolExecutor(_NUM_THREADS) as threads:
        counts = threads.map(_scan, (root / name for name in names))
        for name, count in zip(names, counts, strict=True):
            found[name] = count
            if progress is not None:
                progress(count.num_images)
    return found


def count_folders(folders: list[Path], progress: Progress) -> list[int]:
    """Count the images of some folders by file name."""
    sizes = []
    with ThreadPoolExecutor(_NUM_THREADS) as threads:
        for size in threads.map(count_images, folders):
            sizes.append(size)
            if progress is not None:
                progress(size)
    return sizes


def count_images(folder: Path) -> int:
    """Count the files of a folder with image names."""
    with os.scandir(folder) as entries:
        return sum(is_image_name(entry.name) for entry in entries)


def folder_names(root: Path) -> list[str]:
    """Return the sorted class folders in a folder, without hidden ones."""
    with os.scandir(root) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")


def _scan(folder: Path) -> FolderCount:
    count = FolderCount()
    with os.scandir(folder) as entries:
        for entry in entries:
            if not is_image_name(entry.name) or entry.is_dir():
                count.other.add(entry.name)
                continue
            try:
                size = entry.stat().st_size
            except OSError:
                count.unreadable.add(entry.name)
                continue
            if not size:
                count.empty.add(entry.name)
            elif not os.access(entry.path, os.R_OK):
                count.unreadable.add(entry.name)
            else:
                count.num_images += 1
    return count
