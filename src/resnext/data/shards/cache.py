"""A bounded cache folder of fetched shards, shared by all processes of a machine.

A file gets its final name only when it is complete and verified. During the download it is named
NAME.SIZE.partial and counts with its final size, so the limit always holds; a partial file of a
killed process is resumed. The least recently used files are evicted first.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from resnext.errors import DownloadError
from resnext.partial_file import OversizeError, open_partial

_PARTIAL = ".partial"
_NAME = re.compile(r"[^.]+\.tar(\.(?P<size>[0-9]{1,15})\.partial)?")
_ROOM_LOCK = "room.lock"
_WAIT_S = 0.05  # until another process has finished what it reserved room for


@dataclass(frozen=True)
class Wanted:
    """A file to cache.

    Attributes:
        path: Its path in a folder of the cache.
        size_bytes: Its length.
        sha256: Its hash.
        address: Its source, for messages.
    """

    path: Path
    size_bytes: int
    sha256: str
    address: str


class ShardCache:
    """Opens cached files and fetches missing ones."""

    def __init__(
        self, folder: Path, bound_bytes: int, fetch: Callable[[str, Path, int], None]
    ) -> None:
        """Set up the cache without creating files.

        Args:
            folder: The cache: folders of sets, with their shards.
            bound_bytes: Maximum total size of all shards, including partial ones.
            fetch: Completes a partial file from an address, up to a maximum size.
        """
        self._folder, self._bound, self._fetch = folder, bound_bytes, fetch

    def open(self, wanted: Wanted) -> int:
        """Return a descriptor of a complete file; the caller closes it.

        Raises:
            DownloadError: The file cannot be downloaded, is another one or cannot be stored.
        """
        try:
            opened = _open(wanted)
            if opened is not None:
                return opened
            with FileLock(_lock_of(wanted.path)):
                opened = _open(wanted)  # another process may have fetched it meanwhile
                return self._obtain(wanted) if opened is None else opened
        except OSError as error:
            raise DownloadError(
                f"{wanted.address}: cannot be stored in {self._folder}: {error.strerror}; free "
                "disk space, lower data.cache_gib or set another folder with XDG_CACHE_HOME"
            ) from None

    def _obtain(self, wanted: Wanted) -> int:
        """Fetch, verify, rename and open; the caller holds the file's lock."""
        partial = _partial_of(wanted)
        self._reserve(wanted, partial)
        for _ in range(2):  # a part may be stale, or a bit flipped on the way
            with suppress(OversizeError):
                self._fetch(wanted.address, partial, wanted.size_bytes)
                if _is_whole(partial, wanted):
                    break
            _empty(partial)
        else:
            partial.unlink()
            raise DownloadError(
                f"{wanted.address} is not the file that the index lists: its size or SHA-256 "
                "differs. If the set was packed again, start a new run; otherwise upload the "
                "file again"
            )
        with FileLock(self._folder / _ROOM_LOCK):  # who counts sees one name or the other
            partial.replace(wanted.path)
            return os.open(wanted.path, os.O_RDONLY)  # before anybody may remove it

    def _reserve(self, wanted: Wanted, partial: Path) -> None:
        """Make room, and reserve it with an empty partial file."""
        assert wanted.size_bytes <= self._bound  # or we would wait forever
        while True:
            with FileLock(self._folder / _ROOM_LOCK):
                if partial.exists() or self._make_room(wanted.size_bytes):
                    open_partial(partial).close()
                    break
            time.sleep(_WAIT_S)

    def _make_room(self, size_bytes: int) -> bool:
        """Remove old files to free space; False if files being fetched take too much."""
        files = sorted(_files(self._folder), key=lambda one: one[0])
        used = sum(size for _, size, _ in files)
        for _, size, path in files:
            if used + size_bytes <= self._bound:
                break
            if _remove(path):
                used -= size
        return used + size_bytes <= self._bound


def used_bytes(folder: Path) -> int:
    """Return the total size of a cache's shards; partial files count in full."""
    return sum(size for _, size, _ in _files(folder))


def _open(wanted: Wanted) -> int | None:
    """Open a complete file and update its time of use."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        opened = os.open(wanted.path, flags)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    status = os.fstat(opened)
    if not stat.S_ISREG(status.st_mode) or status.st_size != wanted.size_bytes:
        os.close(opened)
        return None
    with suppress(OSError):  # the cache may be another user's; then it only ages
        os.utime(opened)
    return opened


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """List time of last use, size and path of all shards, whole and partial."""
    found = []
    # Links are passed by: making room must not remove files outside of the cache.
    for own in (path for path in folder.glob("*") if path.is_dir() and not path.is_symlink()):
        for path in own.iterdir():
            name = _NAME.fullmatch(path.name)
            if name is None:
                continue
            with suppress(FileNotFoundError):  # a part that its process gave up at this moment
                status = path.lstat()
                size = int(name["size"]) if name["size"] else status.st_size
                found.append((status.st_mtime_ns, size, path))
    return found


def _remove(path: Path) -> bool:
    """Remove a file unless a process is fetching it."""
    if path.suffix != _PARTIAL:
        path.unlink(missing_ok=True)
        return True
    try:
        with FileLock(_lock_of(path.with_suffix("").with_suffix("")), blocking=False):
            path.unlink(missing_ok=True)
            return True
    except Timeout:
        return False


def _partial_of(wanted: Wanted) -> Path:
    return wanted.path.with_name(f"{wanted.path.name}.{wanted.size_bytes}{_PARTIAL}")


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _empty(partial: Path) -> None:
    with open_partial(partial) as file:
        file.truncate(0)


def _is_whole(path: Path, wanted: Wanted) -> bool:
    if path.stat().st_size != wanted.size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == wanted.sha256
