"""Atomic file writes."""

from __future__ import annotations

import contextlib
import glob
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_PARTIAL = ".partial"
_MAX_AGE_S = 24 * 3600.0
_MAX_READINGS = 10  # some file systems never tell the same inode twice


def write_whole(path: Path, content: str | bytes | memoryview, *, is_shared: bool = False) -> None:
    """Write a file atomically; see `replacing`.

    Args:
        path: The file; an existing one is replaced.
        content: Its content; a text is written as UTF-8.
        is_shared: Other processes may write the same file at the same time.

    Raises:
        OSError: It cannot be written; an existing file is kept.
    """
    with replacing(path, is_shared=is_shared) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path, *, is_shared: bool = False) -> Iterator[Path]:
    """Yield a temporary path whose content replaces a file on success.

    The content is flushed to disk before the rename, so that a power failure does not leave an
    empty file.

    Args:
        path: The file; an existing one is replaced.
        is_shared: Other processes may write the same file at the same time, so the temporary name
            is unique to the process, and leftovers of ended processes are removed. Otherwise the
            name is fixed, and the next write replaces leftovers.

    Raises:
        OSError: It cannot be written; an existing file is kept.
    """
    writer = ""
    if is_shared:
        _remove_left(path)
        writer = f".{socket.gethostname()}.{os.getpid()}"
    partial = path.with_name(f"{path.name}{writer}{_PARTIAL}")
    try:
        yield partial
        flush(partial)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # a read-only disk refuses even this
            partial.unlink(missing_ok=True)
        raise


def flush(path: Path) -> None:
    """Flush a file's content, or a folder's entries, to disk.

    Raises:
        OSError: It cannot be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_left(path: Path) -> None:
    """Remove partial files of a shared file whose writers have ended."""
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.*{_PARTIAL}"):
            host, _, number = left.name[len(path.name) + 1 : -len(_PARTIAL)].rpartition(".")
            if number.isascii() and number.isdecimal() and _has_ended(host, int(number), left):
                left.unlink(missing_ok=True)


def _has_ended(host: str, process: int, left: Path) -> bool:
    """Return whether a writer has ended; on another machine, by the age of its file."""
    if host != socket.gethostname() or os.name != "posix":
        return time.time() - left.stat().st_mtime > _MAX_AGE_S
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's, or no such number
        return False
    return False


def is_there(path: Path) -> bool:
    """Return whether a path exists; an invalid path does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_whole(path: Path, read: Callable[[Path], _T]) -> _T:
    """Read a file that may be replaced meanwhile; repeat until the read is consistent.

    safetensors opens a file twice, for its header and for its tensors; a save in between would mix
    two versions.

    Args:
        path: The file.
        read: Reads the file. Errors are only raised if the file has not changed.
    """
    for _ in range(_MAX_READINGS):
        identity = identity_of(path)
        try:
            found = read(path)
        except Exception:
            if identity is None or identity_of(path) == identity:
                raise
            continue
        if identity_of(path) == identity:
            return found
    return read(path)


def identity_of(path: Path) -> tuple[int, int, int] | None:
    """Return the identity of a file, which changes if it is replaced; None if missing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
