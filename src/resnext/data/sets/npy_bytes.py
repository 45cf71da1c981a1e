"""One array out of the bytes of an `.npy` or `.npz` file; nothing in them is executed."""

from __future__ import annotations

import contextlib
import io
import math
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from resnext.data.sets.npz import read_header
from resnext.errors import DataError

_ZIP = b"PK\x03\x04"
_KINDS = "biuf"


def count_values(data: bytes, max_values: int) -> int:
    """Return the number of values of a file by its header, before memory is taken for them.

    Args:
        data: The bytes of an `.npy` file, or of an `.npz` file with one array.
        max_values: Accepted.

    Raises:
        DataError: It is none of these, or too large; the message is the reason only.
    """
    with _open(data) as file:
        shape, dtype, _ = read_header(file)
    if dtype.kind not in _KINDS:
        raise DataError("it holds an array of something else than numbers")
    num = math.prod(shape)
    if num > max_values:
        raise DataError(f"it holds {num:,} values, more than the {max_values:,} accepted")
    return num


def array_of(data: bytes, max_values: int) -> npt.NDArray[Any]:
    """Return the array of a file; see `count_values`.

    Raises:
        DataError: It cannot be used; the message is the reason only.
    """
    num = count_values(data, max_values)
    with _open(data) as file:
        shape, dtype, is_fortran = read_header(file)
        content = file.read(num * dtype.itemsize + 1)
    if len(content) != num * dtype.itemsize:
        raise DataError("it is not as long as its header says")
    flat = np.frombuffer(content, dtype, count=num)
    return flat.reshape(shape, order="F" if is_fortran else "C")


@contextlib.contextmanager
def _open(data: bytes) -> Iterator[IO[bytes]]:
    """Open the one array of a file, and turn what a foreign file raises into one error."""
    try:
        if not data.startswith(_ZIP):
            yield io.BytesIO(data)
            return
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise DataError(f"the .npz file holds {len(members)} arrays; send one signal each")
            with archive.open(members[0]) as file:
                yield file
    except (
        EOFError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        raise DataError("it is no whole .npy or .npz file of numbers") from None
