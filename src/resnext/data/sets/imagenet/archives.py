"""Extracts images from tar archives: safely, one at a time, and resumable."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from typing import IO

from resnext.data.decode.image_names import is_image_name
from resnext.data.sets.imagenet.layout import hidden
from resnext.data.sets.imagenet.scan import Progress
from resnext.data.tar_limits import TAR_ERRORS, open_limited
from resnext.errors import DataError, ResNeXtError
from resnext.untrusted.names import shown

_LOG = logging.getLogger(__name__)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_MAX_IMAGE_MIB = 256
_BLOCK_BYTES = 1 << 20


def md5_of(path: Path, progress: Callable[[int, int | None], None] | None = None) -> str:
    """Compute a file's MD5 sum, which identifies complete official archives.

    Args:
        path: The file.
        progress: Called with the bytes read and the total.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            if progress is not None:
                progress(file.tell(), total)
    return digest.hexdigest()


@contextmanager
def open_tar(path: Path, inner: IO[bytes] | None = None) -> Iterator[tarfile.TarFile]:
    """Open an archive, or one inside it; turn read errors into one message.

    Args:
        path: The archive, compressed or not.
        inner: An archive inside it; then `path` is only for messages.

    Raises:
        DataError: The archive is missing or damaged, or its content cannot be written.
    """
    if inner is None and not path.is_file():
        raise DataError(f"{path} is not a file; give a tar archive")
    try:
        with (
            nullcontext(inner) if inner else path.open("rb") as file,
            open_limited(file, "r:*") as tar,
        ):
            yield tar
    except ResNeXtError:
        raise
    except TAR_ERRORS as error:
        raise DataError(
            f"{path}: unpacking stopped: {' '.join(str(error).split())}. Existing files are "
            "complete; fix the cause and run the same command to resume"
        ) from error


def images_in(tar: tarfile.TarFile, archive: str) -> Iterator[tuple[tarfile.TarInfo, str]]:
    """Yield the images of an archive, and the plain file name of each.

    The rule is stricter than `filter="data"` of the standard library: paths in the archive are
    never used for writing. Folders are skipped, and other files are left out and logged.

    Args:
        tar: An open archive.
        archive: Its name in messages.

    Raises:
        DataError: A member is a link or a device, has an absolute name, `..` or unusual characters,
            is repeated or has an excessive size; it is not written.
    """
    seen: set[str] = set()
    num_left_out = 0
    for member in tar:
        refuse_hostile(member, archive)
        name = PurePosixPath(member.name).name
        if member.isdir():
            continue
        if not is_image_name(name):
            num_left_out += 1
            continue
        if not _PLAIN_NAME.fullmatch(name) or name in seen or member.size > _MAX_IMAGE_MIB << 20:
            raise DataError(
                f"{archive}: the image {shown(member.name)} is repeated, has unusual characters "
                f"in its name or more than {_MAX_IMAGE_MIB} MiB; this is not an official archive"
            )
        seen.add(name)
        yield member, name
    if num_left_out:
        _LOG.warning("%s: left out %d files that are not images", archive, num_left_out)


def refuse_hostile(member: tarfile.TarInfo, archive: str) -> None:
    """Accept only files and folders below the archive's root.

    Raises:
        DataError: The member is anything else.
    """
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(
            f"{archive}: the member {shown(member.name)} would leave the folder; this is not an "
            "official archive, do not use it"
        )
    if not (member.isreg() or member.isdir()):
        raise DataError(
            f"{archive}: the member {shown(member.name)} is a link or a device; official "
            "archives contain only files, do not use it"
        )


def unpack_class(tar: tarfile.TarFile, archive: str, folder: Path, progress: Progress) -> int:
    """Extract a class's images from its archive.

    They are extracted to a hidden folder that is renamed when complete, so an existing class folder
    is complete. Existing images of the right size are kept, in the hidden folder and in a class
    folder of any origin.

    Args:
        tar: The open archive of the class.
        archive: Its name in messages.
        folder: The class folder.
        progress: Called for each image, written or kept.

    Returns:
        Number of images in the archive.

    Raises:
        DataError: The archive is hostile, truncated or has no image.
    """
    dest = folder if folder.exists() else hidden(folder)
    dest.mkdir(parents=True, exist_ok=True)
    num = 0
    for member, name in images_in(tar, archive):
        write_member(tar, member, dest / name)
        num += 1
        if progress is not None:
            progress(1)
    if not num:
        raise DataError(f"{archive}: contains no image; download the archive again")
    if dest != folder:
        dest.rename(folder)
    return num


def write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, dest: Path) -> None:
    """Write one file, under a hidden name until complete; keep an existing one of the right size.

    Raises:
        DataError: The archive ends within the file.
    """
    try:
        if dest.stat().st_size == member.size:
            return
    except FileNotFoundError:
        pass
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    with source, hidden(dest).open("wb") as target:
        copy(source, target)
        if target.tell() != member.size:
            raise DataError(f"{dest.name}: the archive ends within it; download the archive again")
    hidden(dest).replace(dest)


def copy(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy the rest of a file into another."""
    shutil.copyfileobj(source, target, _BLOCK_BYTES)
