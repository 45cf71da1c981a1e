"""Files that appear at their place together, whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import ExportError


@contextmanager
def staging(dest: Path) -> Iterator[Path]:
    """Give a path of the same name in a folder of its own, beside the place.

    The folder vanishes afterwards with all that was not published.

    Args:
        dest: Where the file is to go.

    Raises:
        ExportError: The folder does not exist, is not writable, or the disk is full.
    """
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{dest.name}.", dir=dest.parent) as folder:
            yield Path(folder) / dest.name
    except OSError as error:
        raise ExportError(
            f"{dest}: cannot be written ({error.strerror or error}); free some space or choose "
            "another folder"
        ) from error


def publish(staged: Path, dest: Path) -> tuple[Path, ...]:
    """Move what was staged to its place, the named file last.

    Returns:
        The files at their places, the named one first.
    """
    names = sorted((path.name for path in staged.parent.iterdir()), key=staged.name.__eq__)
    for name in names:
        _flush(staged.parent / name)
        (staged.parent / name).replace(dest.parent / name)
    return tuple(dest.parent / name for name in reversed(names))


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
