"""Output files of verbs, checked before the work starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import RunError


def check_place(flag: str, path: Path) -> None:
    """Check that a file can be written.

    Args:
        flag: The flag it was given with.
        path: The file, which may exist.

    Raises:
        RunError: It is a folder, or its folder is missing or not writable.
    """
    folder = path.absolute().parent
    if path.is_dir():
        what = "is a folder"
    elif not folder.is_dir():
        what = "is in a folder that does not exist"
    elif not os.access(folder, os.W_OK):
        what = "is in a folder that is not writable"
    else:
        return
    raise RunError(f"{flag} {path} {what}; give a file in a writable folder")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn write errors into one message.

    Raises:
        RunError: The file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; free disk space, or choose another location"
        ) from None
