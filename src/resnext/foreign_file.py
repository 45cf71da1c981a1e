"""Guards files read by other libraries: regular files only, and one kind of error.

Libraries raise anything on a damaged or hostile file (`KeyError`, `struct.error`, `RuntimeError`,
`MemoryError`, ...), wait forever for a pipe, and trust the sizes in an archive.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resnext.errors import CheckpointError, ResNeXtError
from resnext.untrusted.names import shown
from resnext.untrusted.text import printable

MAX_ZIP_ENTRIES = 100_000
"""Maximum entries; a network has one for each of its tensors."""

_MAX_REASON_CHARS = 200


def check_regular(path: Path) -> None:
    """Check that a path is a regular file before a library opens it.

    Raises:
        CheckpointError: The file is missing, unreadable, or a folder, pipe or device.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, device or socket"
            raise CheckpointError(f"{path}: is {kind}; give a file")
        path.open("rb").close()
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: there is no such file; give a run, a weight file or an exported network"
        ) from None
    except (OSError, ValueError) as error:  # a ValueError for a name with a null character
        raise CheckpointError(
            f"{path}: cannot be read ({reason(error)}); check its permissions, or give another file"
        ) from None


@contextmanager
def one_error(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Turn any error of a library on a bad file into a `CheckpointError`.

    Our own errors pass, as they already describe the problem.

    Args:
        path: The file, for the message.
        what: What failed, such as `cannot be read by torch.load`.
        remedy: What to do.

    Raises:
        CheckpointError: The library raised something.
    """
    try:
        yield
    except ResNeXtError:
        raise
    except Exception as error:
        raise CheckpointError(f"{path}: {what} ({reason(error)}); {remedy}") from None


def reason(error: BaseException) -> str:
    """Return the first line of an error's message, truncated and escaped, or its type."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    named = text if not isinstance(error, KeyError) else f"no entry {text}"
    return printable(named[:_MAX_REASON_CHARS]) or type(error).__name__


def check_archive(path: Path, *, max_packed_bytes: int = 0) -> None:
    """Check the sizes and checksums of a PyTorch zip archive before unpacking it.

    torch does not verify the checksums that it writes. Sizes are checked against that of the file,
    so that no archive can claim more memory than it has bytes.

    Args:
        path: The file.
        max_packed_bytes: Maximum unpacked size of compressed entries; 0 if none may be compressed,
            as torch.save never compresses.

    Raises:
        CheckpointError: The archive is damaged, or too large unpacked.
    """
    again = "it is incomplete or damaged: copy, download or write it again"
    with one_error(path, "cannot be read as a zip archive", again), zipfile.ZipFile(path) as zipped:
        infos = zipped.infolist()
        if len(infos) > MAX_ZIP_ENTRIES:
            raise CheckpointError(
                f"{path}: contains {len(infos):,} entries, more than the limit of "
                f"{MAX_ZIP_ENTRIES:,}"
            )
        size = path.stat().st_size
        packed = [info for info in infos if info.compress_type != zipfile.ZIP_STORED]
        stored = sum(info.file_size for info in infos) - sum(info.file_size for info in packed)
        if stored > size or sum(info.file_size for info in packed) > max_packed_bytes:
            raise CheckpointError(
                f"{path}: is too large when unpacked; write it again with torch.save, which does "
                "not compress"
            )
        if (damaged := zipped.testzip()) is not None:
            raise CheckpointError(
                f"{path}: its entry {shown(damaged)} has changed since it was written (the "
                f"checksum differs); {again}"
            )
