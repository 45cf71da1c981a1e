"""Finds files of a data set that lie beside its splits or its class folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from resnext.data.decode.video_limits import VIDEO_SUFFIXES
from resnext.data.sets.listing import IMAGES, FileKind

_MAX_ENTRIES = 1_000
"""Looked at in one folder and those below it: most folders show their kind at once."""

_MAX_FOLDERS = 100
_SUFFIXES = (*IMAGES.endings, *VIDEO_SUFFIXES, ".nii", ".nii.gz")


def _accepts(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    return not name.startswith(".") and name.lower().endswith(_SUFFIXES) and entry.is_file()


ANY_FILES = FileKind("file", _SUFFIXES, _accepts)
"""Images, videos and volumes, by their extensions."""


def folders_with_files(root: Path, names: Iterable[str], kind: FileKind) -> list[str]:
    """Return which subfolders hold files of a data set, after a short look at some of them.

    Args:
        root: The folder.
        names: Its subfolders; only the first hundred are looked at.
        kind: Which files are looked for.
    """
    return [name for name in islice(names, _MAX_FOLDERS) if _holds(root / name, kind.accepts)]


def loose_files(root: Path, kind: FileKind) -> list[str]:
    """Return files of a data set that lie directly in a folder, among its first entries."""
    try:
        with os.scandir(root) as entries:
            some = list(islice(entries, _MAX_ENTRIES))
            return sorted(entry.name for entry in some if kind.accepts(entry))
    except OSError:
        return []


def _holds(folder: Path, accepts: Callable[[os.DirEntry[str]], bool]) -> bool:
    """Tell whether a folder, or one below it, holds such a file among its first entries."""
    waiting, num_left = [folder], _MAX_ENTRIES
    while waiting and num_left > 0:
        try:
            with os.scandir(waiting.pop(0)) as entries:
                for entry in islice(entries, num_left):
                    num_left -= 1
                    if accepts(entry):
                        return True
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
        except OSError:  # what cannot be read holds nothing to train on
            continue
    return False
