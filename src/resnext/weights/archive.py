"""Unpacks a zip archive with one weight file."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from resnext.download import Checksum, verify
from resnext.errors import DownloadError
from resnext.foreign_file import reason
from resnext.partial_file import open_partial

MAX_WEIGHTS_BYTES = 8 << 30
"""Maximum size of a weight file: the largest published one, ResNeXt-101 32x48d, has 3.3 GB."""


def unpack(archive: Path, dest: Path, checksum: Checksum | None) -> Path:
    """Unpack a file from its archive, verify it, and remove the archive.

    Args:
        archive: A zip archive with one file.
        dest: Destination of the file, regardless of its name in the archive.
        checksum: Expected checksum of the file.

    Returns:
        `dest`.

    Raises:
        DownloadError: The archive is damaged or contains another file; it is removed.
    """
    partial = dest.with_name(dest.name + ".partial")
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [info for info in zipped.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise DownloadError(f"{archive}: contains {len(members)} files instead of one")
            if members[0].file_size > MAX_WEIGHTS_BYTES:
                raise DownloadError(
                    f"{archive}: its file has more than {MAX_WEIGHTS_BYTES:,} bytes"
                )
            with zipped.open(members[0]) as source, open_partial(partial) as target:
                target.truncate(0)
                shutil.copyfileobj(source, target, 1 << 20)
        if checksum is not None:
            verify(partial, checksum)
    except (DownloadError, OSError) as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, DownloadError):
            archive.unlink()
        raise
    except Exception as error:  # zipfile and zlib raise a dozen kinds on damaged archives
        archive.unlink()
        partial.unlink(missing_ok=True)
        raise DownloadError(
            f"{archive}: is a damaged archive ({reason(error)}) and was removed"
        ) from None
    partial.replace(dest)
    archive.unlink()
    return dest
