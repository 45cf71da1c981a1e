"""Reads untrusted tar archives within limits.

Python's tarfile reads headers of long names and attributes completely into memory, keeps every
member, and lets compressed or sparse archives expand without limit.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from typing import IO, Any

MAX_MEMBERS = 1_000_000
MAX_HEADER_BYTES = 1 << 20
"""Maximum size of a header with a long name or attributes."""

MAX_EXPANSION = 20
"""Maximum expansion factor of an archive; photographs hardly compress."""

MIN_EXPANDED_BYTES = 64 << 20
"""Minimum expansion limit of any archive."""

TAR_ERRORS = (
    tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, OverflowError,
    LookupError, RecursionError,
)  # fmt: skip
"""Exceptions raised by damaged archives."""

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
            ReadError: It declares too large an extension, or a negative size.
        """
        member = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]  # as the base
        if member.size < 0 or (member.type in _CARRIERS and member.size > MAX_HEADER_BYTES):
            raise tarfile.ReadError(f"a header declares {member.size:,} bytes of attributes")
        return member


class LimitedTar(tarfile.TarFile):
    """An archive with limits; `max_bytes` is its maximum uncompressed size."""

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
        file: The archive, at its start.
        mode: `r:*` accepts the common compressions, `r:` none.

    Raises:
        TAR_ERRORS: It is damaged.
    """
    size = file.seek(0, 2)
    file.seek(0)
    tar = LimitedTar.open(fileobj=file, mode=mode)  # type: ignore[call-overload]  # any mode
    assert isinstance(tar, LimitedTar)
    tar.max_bytes = max(size * MAX_EXPANSION, MIN_EXPANDED_BYTES)
    return tar
