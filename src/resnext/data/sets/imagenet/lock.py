"""A lock that lets only one process at a time fill a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resnext.errors import DataError


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Lock a folder, creating it if missing; the system releases the lock if the process dies.

    Raises:
        DataError: Another process holds it, or it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".writer.lock", timeout=0)
        with lock:
            yield
    except Timeout:
        raise DataError(f"another process is filling {folder}; wait for it") from None
    except OSError as error:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder} is a file; give a folder") from None
        raise DataError(
            f"cannot fill {folder}: {error}. Existing files are complete; fix the cause and run "
            "the same command to resume, or choose another folder"
        ) from error
