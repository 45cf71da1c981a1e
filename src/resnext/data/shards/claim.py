"""The claim on a folder that a set is packed into: one process at a time, one source."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from resnext.data.shards.layout import PackSettings, is_packed, read_index
from resnext.errors import RunError
from resnext.files import write_whole
from resnext.untrusted.parse import read_json

WORK = ".pack"
"""What an unfinished pack keeps: its settings and a record of each shard."""

_SETTINGS = "settings.json"
_LOCK_WAIT_S = 5.0  # the workers of a pack that was killed need a moment to see it
_WRITE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def claim(folder: Path, settings: PackSettings) -> Iterator[None]:
    """Lock the folder while packing; clean up at the end.

    Raises:
        RunError: It contains something else, or another process is packing into it.
    """
    begun = _settings_of(folder)
    if begun is None and folder.exists() and not _is_free(folder):
        raise RunError(
            f"{folder} exists and is not a packed data set; give a new or an empty folder"
        )
    if begun is not None and begun != settings:
        raise RunError(
            f"{folder} was packed differently ({'; '.join(_differences(begun, settings))}); give "
            "another folder, or repeat the original command"
        )
    work = folder / WORK
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=_LOCK_WAIT_S):
            write_whole(work / _SETTINGS, settings.model_dump_json())
            for left in folder.glob("*.partial"):
                left.unlink()
            yield
            shutil.rmtree(work)
    except Timeout:
        raise RunError(
            f"another process is packing into {folder}; wait for it or stop it"
        ) from None


def _is_free(folder: Path) -> bool:
    """Return whether a folder is empty, except for files of a pack that was killed immediately."""
    return folder.is_dir() and all(path.name == WORK for path in folder.iterdir())


def _settings_of(folder: Path) -> PackSettings | None:
    """Return the settings that a folder was started or finished with."""
    try:
        return PackSettings.model_validate(read_json(folder / WORK / _SETTINGS))
    except (OSError, ValueError):  # pydantic's error is a ValueError
        return read_index(folder).settings if is_packed(folder) else None


def _differences(begun: PackSettings, asked: PackSettings) -> Iterable[str]:
    flags = {"shard_mib": "--shard-mib", "short_side_px": "--short-side", "quality": "--quality"}
    for field, flag in flags.items():
        old, new = getattr(begun, field), getattr(asked, field)
        if old != new:
            was, now = ("none" if value is None else f"{value:g}" for value in (old, new))
            yield f"{flag} was {was}, now {now}"
    if begun.source_sha256 != asked.source_sha256:
        yield "the classes or files of the source have changed"


@contextlib.contextmanager
def explain_write_errors(folder: Path) -> Iterator[None]:
    """Turn write errors, such as a full disk, into one message.

    Raises:
        RunError: The folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITE_ERRORS:
            raise
        raise RunError(
            f"cannot write into {folder}: {error.strerror}. Finished shards are kept: free disk "
            "space and run the same command again"
        ) from None
