"""Arrays of an `.npz` file, whose sizes are known before memory is taken for them."""

from __future__ import annotations

import ast
import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown

MAX_ARRAY_BYTES = 2**33
_MAX_MEMBERS = 1_000
_MAX_DIMENSIONS = 8
_MAX_HEADER_BYTES = 10_000
_KINDS = "biufUS"


class NpzFile:
    """An `.npz` file that has been opened, of which only headers have been read.

    Attributes:
        shapes: Shape of each array, by its name.
    """

    def __init__(self, path: Path) -> None:
        """Read the headers.

        Raises:
            DataError: It cannot be read, is no `.npz` file or holds other things than arrays.
        """
        self._path = path
        self.shapes: dict[str, tuple[int, ...]] = {}
        with self._errors(), zipfile.ZipFile(path) as archive:
            if len(archive.namelist()) > _MAX_MEMBERS:
                raise DataError(f"{path}: more than {_MAX_MEMBERS:,} arrays")
            for member in archive.namelist():
                if member.endswith(".npy"):
                    with archive.open(member) as file:
                        self.shapes[member.removesuffix(".npy")] = read_header(file)[0]

    def array(self, name: str, max_values: int) -> npt.NDArray[Any]:
        """Return an array.

        Args:
            name: Its name.
            max_values: Values accepted.

        Raises:
            DataError: There is none of this name, it holds Python objects, is too large or
                damaged.
        """
        if name not in self.shapes:
            raise DataError(
                f"{self._path} has no array {shown(name)}; it has "
                f"{list_names(list(self.shapes), 20, shown)}"
            )
        with (
            self._errors(),
            zipfile.ZipFile(self._path) as archive,
            archive.open(f"{name}.npy") as file,
        ):
            shape, dtype, _ = read_header(file)
            where = f"{self._path}, array {shown(name)}"
            if dtype.kind not in _KINDS:
                raise DataError(f"{where}: of type {dtype}; accepted are numbers and texts")
            num = math.prod(shape)
            if num > max_values or num * dtype.itemsize > MAX_ARRAY_BYTES:
                raise DataError(f"{where}: {num:,} values, more than the {max_values:,} accepted")
            file.seek(0)
            array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what a foreign or damaged file raises into one kind of error."""
        try:
            yield
        except FileNotFoundError:
            raise DataError(f"there is no file {self._path}") from None
        except IsADirectoryError:
            raise DataError(f"{self._path} is a folder; give an .npz file") from None
        except (
            OSError,
            ValueError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
            RuntimeError,
            NotImplementedError,
            SyntaxError,
            MemoryError,
            RecursionError,
        ) as error:
            raise DataError(f"{self._path} is no whole .npz file: {error}") from None


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bool]:
    """Read the header of an `.npy` file: shape, type, and whether columns come first.

    NumPy's own reader gives a header of Python 2 a second try, with errors and warnings of its own.

    Raises:
        ValueError: It is none, or the shape is not accepted.
    """
    version = np.lib.format.read_magic(file)
    size = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    if size > _MAX_HEADER_BYTES:
        raise ValueError(f"a header of {size:,} bytes")
    header = ast.literal_eval(file.read(size).decode("utf-8").strip())
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise ValueError("a header of other facts")
    shape, is_fortran = header["shape"], header["fortran_order"]
    is_shape = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
    if not is_shape or len(shape) > _MAX_DIMENSIONS or not isinstance(is_fortran, bool):
        raise ValueError("a shape that is not accepted")
    if not isinstance(header["descr"], str):
        raise ValueError("values of several fields")
    try:
        return shape, np.dtype(header["descr"]), is_fortran
    except TypeError:
        raise ValueError("values of an unknown type") from None
