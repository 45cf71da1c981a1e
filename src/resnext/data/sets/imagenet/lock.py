"""One process at a time fills a folder: two would write the same hidden files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resnext.errors import DataError


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made if it is missing; the system frees it if we are killed.

    Raises:
        DataError: Another process holds it, or it cannot be made or, meanwhile, written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".writer.lock", timeout=0)
        with lock:
            yield
    except Timeout:
        raise DataError(f"another process fills {folder} at this moment; wait for it") from None
    except OSError as error:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"{folder} is a file; give a folder") from None
        raise DataError(
            f"cannot fill {folder}: {error}. What is there is whole; mend the cause and give the "
            "same command to go on, or choose another folder"
        ) from error
