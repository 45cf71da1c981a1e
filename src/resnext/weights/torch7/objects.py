"""The objects of a Torch7 file, read without recursion.

An object is an `int` for its kind, followed by its content. Tables, class instances and functions
also have an index: when it occurs again, it refers to the same object, which allows files to share
objects and tables to contain themselves. The reader of such a container is a generator that yields
when another object must be read first; the loop keeps waiting generators on its own stack.

Source: torch/torch7, File.lua and doc/serialization.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from enum import IntEnum
from types import GeneratorType
from typing import Any

from resnext.weights.torch7.cursor import Cursor
from resnext.weights.torch7.tensors import (
    NumericClass,
    numeric_class,
    read_geometry,
    read_storage,
    view_storage,
)
from resnext.weights.torch7.values import LuaFunction, ObjectKey, Table, TorchObject

MAX_DEPTH = 10_000
"""Maximum nesting. Networks stay below 100; a chain of graph nodes may not."""

MAX_EXACT_INT = 2.0**53
"""Up to here a double represents every integer."""

MIN_KEY_BYTES, MIN_VALUE_BYTES = 8, 4
"""Bytes of the shortest entry: a boolean key and a nil value."""

Steps = Generator[None, Any, Any]
"""Yields for each object it needs, receives it, and returns the container."""


class Kind(IntEnum):
    """The kinds of objects, numbered as in the file."""

    NIL = 0
    NUMBER = 1
    STRING = 2
    TABLE = 3
    TORCH = 4
    BOOLEAN = 5
    FUNCTION = 6
    LEGACY_RECURSIVE_FUNCTION = 7
    RECURSIVE_FUNCTION = 8


class ObjectReader:
    """Reads one object and everything in it."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._known: dict[int, Any] = {}
        self._plain: dict[int, Callable[[], Any]] = {
            Kind.NIL: lambda: None,
            Kind.NUMBER: self._number,
            Kind.STRING: cursor.text,
            Kind.BOOLEAN: lambda: cursor.int32() == 1,
            Kind.FUNCTION: lambda: self._function(None),
        }
        self._indexed: dict[int, Callable[[int], Steps]] = {
            Kind.TABLE: self._table,
            Kind.TORCH: self._torch_object,
            Kind.LEGACY_RECURSIVE_FUNCTION: self._function,
            Kind.RECURSIVE_FUNCTION: self._function,
        }

    def read(self) -> Any:
        """Read the object at the cursor.

        Raises:
            CheckpointError: The bytes are not an object.
        """
        waiting: list[Steps] = []
        value = self._begin()
        while True:
            if isinstance(value, GeneratorType):
                if len(waiting) == MAX_DEPTH:
                    raise self._cursor.error(f"more than {MAX_DEPTH:,} nested objects")
                waiting.append(value)
                value = None  # a generator is started by sending None
            elif not waiting:
                return value
            try:
                waiting[-1].send(value)
            except StopIteration as finished:
                waiting.pop()
                value = finished.value
            else:
                value = self._begin()

    def _begin(self) -> Any:
        """Read a plain object; return a container's generator."""
        start = self._cursor.offset
        kind = self._cursor.int32()
        if kind in self._plain:
            return self._plain[kind]()
        if kind not in self._indexed:
            raise self._cursor.error(f"{kind} is not a kind of object (0 to 8)", start)
        index = self._cursor.int32()
        if index in self._known:
            return self._known[index]
        return self._indexed[kind](index)

    def _number(self) -> int | float:
        number = self._cursor.double()
        whole = number.is_integer() and abs(number) <= MAX_EXACT_INT
        return int(number) if whole else number

    def _function(self, index: int | None) -> Steps:
        function = LuaFunction(num_bytes=self._cursor.int32())
        self._cursor.skip(function.num_bytes)
        if index is not None:
            self._known[index] = function
        function.upvalues = yield
        return function

    def _table(self, index: int) -> Steps:
        table: Table = {}
        self._known[index] = table
        yield from self._fill(table, self._cursor.int32())
        return table

    def _fill(self, table: Table, num_entries: int) -> Steps:
        self._cursor.count(num_entries, MIN_KEY_BYTES + MIN_VALUE_BYTES)
        for _ in range(num_entries):
            found = yield
            key = found if isinstance(found, str | int | float) else ObjectKey(found)
            if found is None or key in table:
                raise self._cursor.error("a table has a nil key or a duplicate key")
            table[key] = yield

    def _torch_object(self, index: int) -> Steps:
        version, name = self._class()
        if numeric := numeric_class(name):
            value = yield from self._numeric(numeric)
        elif name in ("tds.Hash", "tds_hash"):
            value = self._known[index] = {}
            yield from self._fill(value, self._cursor.long())
        elif name in ("tds.Vec", "tds_vec"):
            value = self._known[index] = {}
            length = self._cursor.count(self._cursor.long(), MIN_VALUE_BYTES)
            for position in range(1, length + 1):
                value[position] = yield
        else:
            value = self._known[index] = TorchObject(name)
            if name == "nn.DataParallelTable" and version >= 2:
                yield  # the GPU assignment of the copies precedes the fields
            value.fields = yield
            if not isinstance(value.fields, dict):
                raise self._cursor.error(f"an object of {name!r} without a table of fields")
        self._known[index] = value
        return value

    def _class(self) -> tuple[float, str]:
        """Read version and name of a class; older files have only a name."""
        text = self._cursor.text()
        version = re.fullmatch(r"V (\d{1,9}(?:\.\d{1,9})?)", text, re.ASCII)
        return (float(version[1]), self._cursor.text()) if version else (0.0, text)

    def _numeric(self, numeric: NumericClass) -> Steps:
        if not numeric.is_tensor:
            return read_storage(self._cursor, numeric.element)
        geometry = read_geometry(self._cursor)
        storage = yield
        return view_storage(self._cursor, numeric.element, geometry, storage)
