"""Writes several files to their destination together: completely, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import ExportError, ResNeXtError
from resnext.files import flush
from resnext.staging import uninterrupted, work_folder
from resnext.untrusted.text import printable


@contextmanager
def staging(dest: Path) -> Iterator[Path]:
    """Yield a path with the same name in a temporary folder next to the destination.

    The folder is removed afterwards with everything that was not published; see `work_folder`.
    Messages of errors about files in it name the destination.

    Args:
        dest: The final path of the file.

    Raises:
        ExportError: The folder cannot be created or written, the disk is full, or another process
            writes the same file.
    """
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with work_folder(dest, ExportError) as folder, _naming(dest, folder):
            yield folder / dest.name
    except OSError as error:
        raise ExportError(
            f"{dest}: cannot be written ({error.strerror or error}); free some space or choose "
            "another folder"
        ) from error


@contextmanager
def _naming(dest: Path, folder: Path) -> Iterator[None]:
    """Name the destination in errors in place of a file in a temporary folder."""
    try:
        yield
    except ResNeXtError as error:
        name = rf"(/({re.escape(dest.name)}|[^\s/:;,)']+))*"
        text = re.sub(re.escape(str(folder)) + name, lambda _: str(dest), str(error))
        if text != str(error):
            error.args = (text,)
        raise


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn a library's error about a file that cannot be written into ours.

    Raises:
        ExportError: The file cannot be written.
    """
    try:
        yield
    except RuntimeError as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise ExportError(
            f"{path.name}: cannot be written ({printable(reason)}); free some space or choose "
            "another folder"
        ) from error


def publish(staged: Path, dest: Path) -> tuple[Path, ...]:
    """Move staged files to their destination, the named file last.

    Returns:
        The final paths, the named file first.
    """
    files = (path for path in staged.parent.iterdir() if path.is_file())
    names = sorted((path.name for path in files), key=staged.name.__eq__)
    with uninterrupted():
        for name in names:
            flush(staged.parent / name)
            (staged.parent / name).replace(dest.parent / name)
    return tuple(dest.parent / name for name in reversed(names))
