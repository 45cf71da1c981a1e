"""Reads `.t7` files into Python objects."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path
from typing import Any

from resnext.errors import CheckpointError
from resnext.weights.torch7.cursor import Cursor, LongBytes
from resnext.weights.torch7.objects import ObjectReader

_LONG_SIZES: tuple[LongBytes, ...] = (8, 4)
_ASCII_KINDS = tuple(b"%d\n" % kind for kind in range(9))


def read_torch7(path: Path, *, long_bytes: LongBytes | None = None) -> Any:
    """Read an object that Torch7's `torch.save` wrote, without executing any of it.

    Memory use is bounded by a multiple of the file's size, whatever the file declares.

    Args:
        path: A file in Torch7's binary format, little-endian.
        long_bytes: Size of C's `long` on the system that wrote it. By default 8, or 4 if the file
            cannot be read with 8.

    Returns:
        The object, with the types in `resnext.weights.torch7.values`. Shared objects stay shared,
        and tensors with a common storage share memory.

    Raises:
        CheckpointError: There is no such file, or it is damaged, foreign or in ASCII format.

    Source: torch/torch7, File.lua and doc/serialization.md.
    """
    if not path.is_file():  # opening a named pipe would wait for its other end
        raise CheckpointError(f"{path}: no such file; give the path of a .t7 file")
    try:
        with path.open("rb") as file:
            _refuse_ascii(file, path)
            return _read(file, path, _LONG_SIZES if long_bytes is None else (long_bytes,))
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"{path}: cannot be read ({reason}); get the file again") from error


def _refuse_ascii(file: BufferedReader, path: Path) -> None:
    if file.read(2) in _ASCII_KINDS:
        raise CheckpointError(
            f"{path}: is in Torch7's ASCII format, but only the binary format is supported: "
            "convert it in Torch7 with torch.save('new.t7', torch.load('old.t7', 'ascii'))"
        )


def _read(file: BufferedReader, path: Path, long_sizes: tuple[LongBytes, ...]) -> Any:
    """Read with the first size of `long` that fits the whole file."""
    failures = []
    for long_bytes in long_sizes:
        cursor = Cursor(file, path, long_bytes)
        try:
            value = ObjectReader(cursor).read()
            if cursor.remaining:  # with a wrong size, a reading can end early
                raise cursor.error("there are extra bytes after the object")
        except CheckpointError as error:
            failures.append((cursor.offset, error))
        else:
            return value
    # The right size leads further into a damaged file than the wrong one.
    raise max(failures, key=lambda failure: failure[0])[1]
