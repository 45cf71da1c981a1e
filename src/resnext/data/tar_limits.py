"""Tar archives from outside, read within bounds.

Python's tarfile reads the headers that carry long names and attributes whole into memory, keeps
every member, and lets a compressed or sparse archive grow without limit.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from typing import IO, Any

MAX_MEMBERS = 1_000_000
MAX_HEADER_BYTES = 1 << 20
"""Of a header that carries a long name or attributes."""

MAX_EXPANSION = 20
"""How many times its own size an archive may become; photographs hardly compress."""

MIN_EXPANDED_BYTES = 64 << 20
"""What any archive may become."""

TAR_ERRORS = (
    tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, OverflowError,
    LookupError, RecursionError,
)  # fmt: skip
"""What reading a damaged archive raises."""

_CARRIERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class LimitedInfo(tarfile.TarInfo):
    """A member whose header is of a reasonable size."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str | None, errors: str) -> LimitedInfo:
        """Parse a header; see the base class.

        Raises:
            ReadError: It announces too large an extension, or a negative size.
        """
        member = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]  # as the base
        if member.size < 0 or (member.type in _CARRIERS and member.size > MAX_HEADER_BYTES):
            raise tarfile.ReadError(f"a header announces {member.size:,} bytes of attributes")
        return member


class LimitedTar(tarfile.TarFile):
    """An archive that stays within bounds; `max_bytes` is what it may have uncompressed."""

    tarinfo = LimitedInfo
    members: list[tarfile.TarInfo]
    max_bytes: int | None = None

    def next(self) -> tarfile.TarInfo | None:
        """Return the next member.

        Raises:
            ReadError: It is sparse, or the archive exceeds a limit.
        """
        member = super().next()
        if member is None or self.max_bytes is None:  # it is being opened, and will come again
            return member
        if member.issparse():
            raise tarfile.ReadError("a member is sparse: it would be larger than the archive")
        if self.offset > self.max_bytes:
            raise tarfile.ReadError(f"it expands to more than {self.max_bytes:,} bytes")
        if len(self.members) > MAX_MEMBERS:
            raise tarfile.ReadError(f"it has more than {MAX_MEMBERS:,} members")
        return member


def open_limited(file: IO[bytes], mode: str) -> LimitedTar:
    """Open an archive.

    Args:
        file: It, at its start.
        mode: `r:*` accepts the usual compressions, `r:` none.

    Raises:
        TAR_ERRORS: It is damaged.
    """
    size = file.seek(0, 2)
    file.seek(0)
    tar = LimitedTar.open(fileobj=file, mode=mode)  # type: ignore[call-overload]  # any mode
    assert isinstance(tar, LimitedTar)
    tar.max_bytes = max(size * MAX_EXPANSION, MIN_EXPANDED_BYTES)
    return tar
