"""Files that appear at their place together, whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import ExportError
from resnext.files import flush
from resnext.staging import uninterrupted, work_folder
from resnext.untrusted.text import printable


@contextmanager
def staging(dest: Path) -> Iterator[Path]:
    """Give a path of the same name in a folder of its own, beside the place.

    The folder vanishes afterwards with all that was not published; see `work_folder`.

    Args:
        dest: Where the file is to go.

    Raises:
        ExportError: The folder cannot be made, is not writable, the disk is full, or another
            process writes the same file.
    """
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        with work_folder(dest, ExportError) as folder:
            yield folder / dest.name
    except OSError as error:
        raise ExportError(
            f"{dest}: cannot be written ({error.strerror or error}); free some space or choose "
            "another folder"
        ) from error


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Explain that a library cannot write a file, which most say in a way of their own.

    Raises:
        ExportError: It cannot be written.
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
    """Move what was staged to its place, the named file last.

    Returns:
        The files at their places, the named one first.
    """
    files = (path for path in staged.parent.iterdir() if path.is_file())
    names = sorted((path.name for path in files), key=staged.name.__eq__)
    with uninterrupted():
        for name in names:
            flush(staged.parent / name)
            (staged.parent / name).replace(dest.parent / name)
    return tuple(dest.parent / name for name in reversed(names))
