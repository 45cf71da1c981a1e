"""A read position in a binary file that never passes its end.

Every declared length is checked against the remaining bytes before anything is allocated, so that
no file can claim more memory than its size.
"""

from __future__ import annotations

import os
import struct
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resnext.errors import CheckpointError

LongBytes = Literal[4, 8]
"""Size of C's `long` on the writing system: 8, or 4 on Windows and 32-bit systems."""


class Cursor:
    """Reads Torch7's little-endian binary primitives from the current offset.

    Attributes:
        long_bytes: Size of `long` in this file.
        offset: Bytes read so far.
    """

    def __init__(self, file: BufferedReader, path: Path, long_bytes: LongBytes) -> None:
        file.seek(0)
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        self.long_bytes = long_bytes
        self.offset = 0

    @property
    def remaining(self) -> int:
        """Number of remaining bytes."""
        return self._size - self.offset

    def error(self, reason: str, offset: int | None = None) -> CheckpointError:
        """Build an error with the file, the offset and the problem."""
        position = self.offset if offset is None else offset
        return CheckpointError(
            f"{self._path}: byte {position:,} of {self._size:,}: {reason}; the file is damaged "
            "or not a binary Torch7 file: download it again"
        )

    def int32(self) -> int:
        """Read an `int`."""
        return int.from_bytes(self.take(4), "little", signed=True)

    def long(self) -> int:
        """Read a `long`."""
        return int.from_bytes(self.take(self.long_bytes), "little", signed=True)

    def double(self) -> float:
        """Read a `double`."""
        (number,) = struct.unpack("<d", self.take(8))
        return float(number)

    def text(self) -> str:
        """Read a length-prefixed string."""
        return self.take(self.int32()).decode(errors="surrogateescape")

    def take(self, num_bytes: int) -> bytes:
        """Read a number of bytes.

        Raises:
            CheckpointError: Fewer remain, or the number is negative.
        """
        self._check(num_bytes)
        found = self._file.read(num_bytes)
        if len(found) < num_bytes:  # someone has cut the file since it was opened
            raise self.error("the file ends here")
        self.offset += num_bytes
        return found

    def skip(self, num_bytes: int) -> None:
        """Skip a number of bytes.

        Raises:
            CheckpointError: Fewer remain, or the number is negative.
        """
        self._check(num_bytes)
        self._file.seek(num_bytes, os.SEEK_CUR)
        self.offset += num_bytes

    def array(self, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
        """Read an array of numbers.

        Raises:
            CheckpointError: Fewer remain, or the number is negative.
        """
        self._check(count * dtype.itemsize)
        values = np.empty(count, dtype)
        if self._file.readinto(values.data) < values.nbytes:
            raise self.error("the file ends here")
        self.offset += values.nbytes
        return values

    def count(self, num_parts: int, least_bytes: int) -> int:
        """Check that enough bytes remain for a number of parts of a minimum size.

        Raises:
            CheckpointError: Too few remain, or the number is negative.
        """
        self._check(num_parts * least_bytes)
        return num_parts

    def _check(self, num_bytes: int) -> None:
        if not 0 <= num_bytes <= self.remaining:
            raise self.error(
                f"a part of {num_bytes:,} bytes is declared, but only {self.remaining:,} remain"
            )
