"""Finds the image files of a table."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from resnext.data.sets.listing import IMAGES, FileKind, subfolders
from resnext.errors import DataError
from resnext.untrusted.names import shown

_NUM_TRIED = 50
_MAX_FOLDERS = 200


def find_names(
    table: Path, values: Sequence[str], images: Path | None = None, kind: FileKind = IMAGES
) -> tuple[Path, list[str | None]]:
    """Find the image files of a table's rows.

    A row has a path relative to the table's folder or a folder in it, with or without the
    extension; Kaggle's tables often have only a number. Folder and extension are those that fit the
    first rows best. Files must be below the folder.

    Args:
        table: The file of the table.
        values: The cells of the rows.
        images: The folder, if given.
        kind: Which files these are, for their extensions.

    Returns:
        The folder, and the relative path of each row's file, or None if there is no such file.

    Raises:
        DataError: No folder fits the first rows.
    """
    tried = [value for value in values[:_NUM_TRIED] if value]
    bases = [images] if images is not None else _bases(table.parent)
    choices = [(base, ending) for base in bases for ending in ("", *kind.endings)]
    base, ending = max(
        choices,
        key=lambda choice: sum(_name(choice[0], choice[1], value) is not None for value in tried),
    )
    if all(_name(base, ending, value) is None for value in tried):
        given = shown(tried[0]) if tried else "nothing"
        raise DataError(
            f"{table}: no file for the first rows, which are {given}; paths are relative to the "
            "table's folder or a folder in it; give another with --set data.images=FOLDER"
        )
    return base, [_name(base, ending, value) for value in values]


def _bases(folder: Path) -> list[Path]:
    """Return a folder and its subfolders, two levels deep, up to a limit."""
    bases = [folder]
    for name in subfolders(folder)[:_MAX_FOLDERS]:
        bases.append(folder / name)
        inner = subfolders(folder / name)
        if len(inner) <= 2:  # train/train/, not a folder for each class
            bases += [folder / name / part for part in inner]
    return bases


def _name(base: Path, ending: str, value: str) -> str | None:
    """Return the path of a file below a folder, if there is one."""
    if not value or "\0" in value:
        return None
    path = posixpath.normpath(value.replace("\\", "/") + ending)
    if posixpath.isabs(path):
        path = posixpath.relpath(path, base.absolute().as_posix())
    if path.split("/")[0] in ("..", ".") or not _is_file(base / path):
        return None
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long, or a folder may not be entered
        return False
