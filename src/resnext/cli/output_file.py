"""The file that a verb writes: its place is checked before the work that fills it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import RunError


def check_place(flag: str, path: Path) -> None:
    """Refuse a place where no file can be written.

    Args:
        flag: The flag that named it.
        path: The file, which may exist.

    Raises:
        RunError: It is a folder, or lies in one that is missing or may not be written.
    """
    folder = path.absolute().parent
    if path.is_dir():
        what = "is a folder"
    elif not folder.is_dir():
        what = "lies in a folder that does not exist"
    elif not os.access(folder, os.W_OK):
        what = "lies in a folder that may not be written"
    else:
        return
    raise RunError(f"{flag} {path} {what}; give the name of a file in a folder of yours")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell in one message that a file cannot be written.

    Raises:
        RunError: The system refused it.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; make room, or choose another place"
        ) from None
