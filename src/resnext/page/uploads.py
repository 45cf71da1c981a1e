"""Images uploaded through the page: limited in number, size and time, with random names."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import tempfile
import threading
import weakref
from pathlib import Path

from resnext.untrusted.parse import read_bytes

MAX_IMAGE_BYTES = 20 * 2**20
MAX_KEPT_FILES = 256
MAX_KEPT_BYTES = 512 * 2**20
KEPT_S = 1200.0

_NAME = re.compile(r"[A-Za-z0-9_-]{32}")


class Uploads:
    """Keeps uploads in a folder that only this process can enter.

    An upload is identified by a random name, never by a path or by the name of the caller's file.
    So a caller cannot refer to any other file, or to another caller's upload.
    """

    def __init__(self, max_files: int = MAX_KEPT_FILES, max_bytes: int = MAX_KEPT_BYTES) -> None:
        """Set the limits; the folder is created on first use and removed with this object.

        Args:
            max_files: Uploads kept at once; a new one replaces the oldest.
            max_bytes: Total size.
        """
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._folder: Path | None = None
        self._sizes: dict[str, int] = {}  # in order of arrival
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> str:
        """Keep an upload, and remove the oldest ones if necessary.

        Args:
            data: Its content.

        Returns:
            Its name: 32 letters, digits, `_` and `-`.
        """
        name = secrets.token_urlsafe(24)
        with self._lock:
            while self._sizes and not self._has_room(len(data)):
                self._remove(next(iter(self._sizes)))
            path = self._made_folder() / name
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                file.write(data)
            self._sizes[name] = len(data)
        return name

    def path_of(self, name: object) -> Path | None:
        """Return the path of an upload; None if it does not exist or was removed."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return None
        with self._lock:
            if name not in self._sizes or self._folder is None:
                return None
            path = self._folder / name
            try:
                is_file = stat.S_ISREG(path.lstat().st_mode)
            except OSError:  # removed by a clean-up of temporary folders
                return None
            return path if is_file else None

    def read(self, name: object) -> bytes | None:
        """Return the content of an upload; None if it does not exist or was removed."""
        path = self.path_of(name)
        if path is None:
            return None
        try:
            return read_bytes(path, MAX_IMAGE_BYTES)
        except (OSError, ValueError):
            return None

    def drop(self, name: str) -> None:
        """Remove an upload if it still exists."""
        with self._lock:
            if name in self._sizes:
                self._remove(name)

    def clear(self) -> None:
        """Remove all uploads and their folder."""
        with self._lock:
            self._sizes.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _has_room(self, num_bytes: int) -> bool:
        num_kept = sum(self._sizes.values())
        return len(self._sizes) < self._max_files and num_kept + num_bytes <= self._max_bytes

    def _remove(self, name: str) -> None:
        del self._sizes[name]
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def _made_folder(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="resnext-page-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder
