"""Memory-mapped one-dimensional arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.partial_file import open_partial


def map_array(path: Path, kind: np.dtype[Any]) -> NDArray[Any]:
    """Map an npy file with a one-dimensional array.

    Args:
        path: The file.
        kind: Type of the values.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is not such a file, or shorter than its header declares. The message is only
            the reason.
    """
    if path.exists() and not path.is_file():
        raise ValueError("is not a regular file")
    try:
        values: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    # A damaged header can raise nearly anything: it is a Python literal, tokenised and parsed.
    except Exception as error:
        raise ValueError(str(error).partition("\n")[0] or type(error).__name__) from None
    if values.dtype != kind or values.ndim != 1:
        raise ValueError("has values of another type")
    return values


def write_array(path: Path, values: NDArray[Any], partial: Path) -> None:
    """Write an npy file atomically."""
    with open_partial(partial) as file:
        file.truncate(0)
        np.save(file, values, allow_pickle=False)
    partial.replace(path)


def read_block(values: NDArray[Any], start: int, end: int) -> NDArray[Any]:
    """Return some values of an array; from a mapped one they are read without keeping pages.

    Args:
        values: An array, or a whole mapped file.
        start: The first value.
        end: The last value plus one; the end of the array if it has fewer.
    """
    if not isinstance(values, np.memmap):
        return values[start:end]
    assert values.filename is not None
    offset = values.offset + start * values.itemsize
    num = min(end, len(values)) - start
    return np.fromfile(values.filename, values.dtype, count=num, offset=offset)
