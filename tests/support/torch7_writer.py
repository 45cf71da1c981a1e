"""Writes Torch7's binary format, for tests: an implementation apart from the reader.

Python values stand for Lua's: None, bool, int and float, str and bytes, list and dict (tables),
torch.Tensor, and the classes below. An object that occurs twice is written once, as Torch7 does.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

_ELEMENTS = {
    torch.uint8: "Byte",
    torch.int8: "Char",
    torch.int16: "Short",
    torch.int32: "Int",
    torch.int64: "Long",
    torch.float16: "Half",
    torch.float32: "Float",
    torch.float64: "Double",
}


@dataclass(eq=False)
class Instance:
    """An object of a class; `before` are objects that its own format puts before its fields."""

    class_name: str
    fields: Any = field(default_factory=dict)
    version: int | None = 1
    before: tuple[Any, ...] = ()


@dataclass(eq=False)
class Storage:
    """A storage; `values` has one dimension."""

    values: torch.Tensor


@dataclass(eq=False)
class Function:
    """A dumped function, of kind 6, 7 or 8."""

    byte_code: bytes
    upvalues: Any = None
    kind: int = 8


@dataclass(eq=False)
class TdsHash:
    """A table of the package tds."""

    entries: dict[Any, Any]


@dataclass(eq=False)
class TdsVec:
    """A list of the package tds."""

    items: list[Any]


class Torch7Writer:
    """Collects the bytes of one file.

    Args:
        long_bytes: Size of C's `long`.
        on_gpu: Write tensors and storages as those of cutorch.
    """

    def __init__(self, long_bytes: Literal[4, 8] = 8, *, on_gpu: bool = False) -> None:
        self.out = bytearray()
        self._long_bytes = long_bytes
        self._on_gpu = on_gpu
        self._indices: dict[Any, int] = {}
        self._alive: list[Any] = []  # an id says nothing about an object that is gone

    def write(self, value: Any) -> None:
        if value is None:
            self._int(0)
        elif isinstance(value, bool):
            self._int(5, int(value))
        elif isinstance(value, int | float):
            self._int(1)
            self.out += struct.pack("<d", value)
        elif isinstance(value, str | bytes):
            self._int(2)
            self._text(value)
        elif isinstance(value, list | dict):
            self._table(value)
        elif isinstance(value, Function):
            self._function(value)
        else:
            self._torch(value)

    def _int(self, *values: int) -> None:
        for value in values:
            self.out += struct.pack("<i", value)

    def _long(self, *values: int) -> None:
        for value in values:
            self.out += struct.pack("<q" if self._long_bytes == 8 else "<i", value)

    def _text(self, text: str | bytes) -> None:
        encoded = text.encode() if isinstance(text, str) else text
        self._int(len(encoded))
        self.out += encoded

    def _is_new(self, kind: int, identity: Any, value: Any) -> bool:
        """Write kind and index, and say whether the contents must follow."""
        is_new = identity not in self._indices
        index = self._indices.setdefault(identity, len(self._indices) + 1)
        self._alive.append(value)
        self._int(kind, index)
        return is_new

    def _table(self, table: list[Any] | dict[Any, Any]) -> None:
        if self._is_new(3, id(table), table):
            entries = enumerate(table, 1) if isinstance(table, list) else table.items()
            self._int(len(table))
            for key, value in entries:
                self.write(getattr(key, "target", key))
                self.write(value)

    def _function(self, function: Function) -> None:
        if function.kind == 6:
            self._int(6)
        elif not self._is_new(function.kind, id(function), function):
            return
        self._text(function.byte_code)
        self.write(function.upvalues)

    def _torch(self, value: Any) -> None:
        identity: Any = id(value)
        if isinstance(value, Storage):
            identity = ("storage", value.values.untyped_storage().data_ptr())
        if not self._is_new(4, identity, value):
            return
        if isinstance(value, torch.Tensor):
            self._tensor(value)
        elif isinstance(value, Storage):
            self._class(self._numeric_name(value.values.dtype, "Storage"))
            self._long(len(value.values))
            self.out += self._raw(value.values)
        elif isinstance(value, TdsHash):
            self._class("tds.Hash", version=0)
            self._long(len(value.entries))
            for entry in (part for pair in value.entries.items() for part in pair):
                self.write(entry)
        elif isinstance(value, TdsVec):
            self._class("tds.Vec", version=0)
            self._long(len(value.items))
            for item in value.items:
                self.write(item)
        else:
            self._class(value.class_name, value.version)
            for part in (*value.before, value.fields):
                self.write(part)

    def _tensor(self, tensor: torch.Tensor) -> None:
        self._class(self._numeric_name(tensor.dtype, "Tensor"))
        if not tensor.numel():  # Torch7's empty tensor has no dimensions
            self._int(0)
            self._long(1)
            self.write(None)
            return
        self._int(tensor.ndim)
        self._long(*tensor.shape, *tensor.stride(), int(tensor.storage_offset()) + 1)
        flat = torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())
        self.write(Storage(flat))

    def _class(self, name: str, version: int | None = 1) -> None:
        if version is not None:
            self._text(f"V {version}")
        self._text(name)

    def _numeric_name(self, dtype: torch.dtype, kind: str) -> str:
        element = _ELEMENTS[dtype]
        if self._on_gpu:
            element = "Cuda" if element == "Float" else f"Cuda{element}"
        return f"torch.{element}{kind}"

    def _raw(self, values: torch.Tensor) -> bytes:
        if values.dtype == torch.int64 and self._long_bytes == 4:
            values = values.int()
        return values.numpy().tobytes()


def torch7_bytes(value: Any, long_bytes: Literal[4, 8] = 8, *, on_gpu: bool = False) -> bytes:
    """Return the file that holds a value."""
    writer = Torch7Writer(long_bytes, on_gpu=on_gpu)
    writer.write(value)
    return bytes(writer.out)


def save_torch7(
    path: Path, value: Any, long_bytes: Literal[4, 8] = 8, *, on_gpu: bool = False
) -> Path:
    """Write the file that holds a value, and return its path."""
    path.write_bytes(torch7_bytes(value, long_bytes, on_gpu=on_gpu))
    return path
