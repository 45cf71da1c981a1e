"""Storages and tensors of Torch7: flat arrays, and views of them.

Source: torch/torch7, generic/Storage.c and generic/Tensor.c; torch/cutorch, whose storages
are written in the same way from the host's memory.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from resnext.weights.torch7.cursor import Cursor

MAX_DIMENSIONS = 64
"""Limit of PyTorch's operations; Torch7's networks have four."""

_CLASS = re.compile(
    r"torch\.(?:(?:Cuda)?(Byte|Char|Short|Int|Long|Half|Float|Double)|Cuda)(Tensor|Storage)"
)
_DTYPES: dict[str, np.dtype[Any]] = {
    "Byte": np.dtype("u1"),
    "Char": np.dtype("i1"),
    "Short": np.dtype("<i2"),
    "Int": np.dtype("<i4"),
    "Half": np.dtype("<f2"),
    "Float": np.dtype("<f4"),
    "Double": np.dtype("<f8"),
}


@dataclass(frozen=True)
class NumericClass:
    """A class of tensors or storages.

    Attributes:
        element: Its element: `Byte`, ..., `Double`.
        is_tensor: Whether it is a view of a storage.
    """

    element: str
    is_tensor: bool


@dataclass(frozen=True)
class Geometry:
    """How a tensor views its storage.

    Attributes:
        sizes: Length of each dimension.
        strides: Elements of the storage between neighbours along each dimension.
        offset: First element, from 0.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


def numeric_class(class_name: str) -> NumericClass | None:
    """Recognise a class of tensors or storages; None for any other class."""
    match = _CLASS.fullmatch(class_name)
    if match is None:
        return None
    return NumericClass(match[1] or "Float", match[2] == "Tensor")  # CudaTensor is of floats


def read_storage(cursor: Cursor, element: str) -> torch.Tensor:
    """Read a storage.

    Returns:
        Its elements as a one-dimensional tensor in its own memory. C's `long` becomes int64.
    """
    count = cursor.long()
    if element != "Long":
        return torch.from_numpy(cursor.array(_DTYPES[element], count))
    values = cursor.array(np.dtype(f"<i{cursor.long_bytes}"), count)
    return torch.from_numpy(values.astype(np.int64, copy=False))


def read_geometry(cursor: Cursor) -> Geometry:
    """Read the sizes, strides and offset of a tensor."""
    num_dimensions = cursor.int32()
    if not 0 <= num_dimensions <= MAX_DIMENSIONS:
        raise cursor.error(f"a tensor of {num_dimensions} dimensions; at most {MAX_DIMENSIONS}")
    sizes = tuple(cursor.long() for _ in range(num_dimensions))
    strides = tuple(cursor.long() for _ in range(num_dimensions))
    return Geometry(sizes, strides, cursor.long() - 1)  # Lua counts from 1


def view_storage(cursor: Cursor, element: str, geometry: Geometry, storage: Any) -> torch.Tensor:
    """View a storage through a tensor's geometry, without a copy.

    Args:
        cursor: Positioned after the tensor, for messages.
        element: The tensor's element.
        geometry: The tensor's sizes, strides and offset.
        storage: The storage read from the file; None for an empty tensor.

    Raises:
        CheckpointError: It is not a storage of such elements, the view exceeds it, or the tensor
            has more elements than its storage: it would repeat elements, so that a few bytes could
            claim any amount of memory.
    """
    empty = torch.empty(0, dtype=_torch_dtype(element))
    elements = empty if storage is None else _as_storage(storage, empty.dtype)
    if elements is None:
        raise cursor.error(f"the storage of a tensor of {element} is not of {element}")
    if not geometry.sizes:  # no dimensions: Torch7's empty tensor, whatever its storage
        return empty
    _check_view(cursor, geometry, len(elements))
    return elements.as_strided(geometry.sizes, geometry.strides, geometry.offset)


def _torch_dtype(element: str) -> torch.dtype:
    if element == "Long":
        return torch.int64
    return torch.from_numpy(np.empty(0, _DTYPES[element])).dtype


def _as_storage(value: Any, dtype: torch.dtype) -> torch.Tensor | None:
    """Return the whole storage reshaped, if the view covers it in order."""
    if not isinstance(value, torch.Tensor) or value.dtype != dtype or value.ndim != 1:
        return None
    return value if value.is_contiguous() and value.storage_offset() == 0 else None


def _check_view(cursor: Cursor, geometry: Geometry, available: int) -> None:
    sizes, strides = geometry.sizes, geometry.strides
    if min(sizes) < 1 or min(strides) < 0 or geometry.offset < 0:
        raise cursor.error(
            f"a tensor of sizes {sizes}, strides {strides} and offset {geometry.offset}"
        )
    wanted = math.prod(sizes)
    last = geometry.offset + sum(
        (size - 1) * stride for size, stride in zip(sizes, strides, strict=True)
    )
    if wanted > available or last >= available:
        raise cursor.error(
            f"a tensor of {wanted:,} elements, the last at {last:,} of its storage, which has "
            f"{available:,}"
        )
