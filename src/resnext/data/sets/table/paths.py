"""From what a table calls its images to files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from resnext.data.decode.image_names import EXTENSIONS
from resnext.data.sets.listing import subfolders
from resnext.errors import DataError
from resnext.untrusted.names import shown

_NUM_TRIED = 50
_MAX_FOLDERS = 200


def find_names(
    table: Path, values: Sequence[str], images: Path | None = None
) -> tuple[Path, list[str | None]]:
    """Find the files that a table's rows mean.

    A row gives a path from the table's folder or from a folder in it, with or without the
    ending; Kaggle's tables often give only a number. Folder and ending are those that fit the
    first rows best. A file must lie below the folder.

    Args:
        table: The file of the table.
        values: What the rows say.
        images: The folder, if it was named.

    Returns:
        The folder, and for each row the file's path below it; None where there is no such file.

    Raises:
        DataError: The first rows fit nowhere.
    """
    tried = [value for value in values[:_NUM_TRIED] if value]
    bases = [images] if images is not None else _bases(table.parent)
    choices = [(base, ending) for base in bases for ending in ("", *sorted(EXTENSIONS))]
    base, ending = max(
        choices,
        key=lambda choice: sum(_name(choice[0], choice[1], value) is not None for value in tried),
    )
    if all(_name(base, ending, value) is None for value in tried):
        given = shown(tried[0]) if tried else "nothing"
        raise DataError(
            f"{table}: no file for the first rows, which say {given}; paths are from the table's "
            "folder or a folder in it; name another with --set data.images=FOLDER"
        )
    return base, [_name(base, ending, value) for value in values]


def _bases(folder: Path) -> list[Path]:
    """Return a folder, the folders in it and those in these, as far as it is worth looking."""
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
    if path.split("/")[0] in ("..", ".") or not (base / path).is_file():
        return None
    return path
