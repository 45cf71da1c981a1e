"""Types for Lua values that Python has no type for.

nil becomes None, a boolean bool, a number int if integral and float otherwise, a string str
(invalid UTF-8 becomes surrogates), a table dict, a tensor torch.Tensor, and a storage a
one-dimensional torch.Tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Table = dict[Any, Any]
"""A Lua table: its keys are str, int, float, bool or `ObjectKey`; lists count from 1."""


@dataclass(eq=False, repr=False, slots=True)
class TorchObject:
    """An object of a Torch class, such as `nn.Linear`, as plain data.

    Attributes:
        class_name: The class, as the file names it.
        fields: The object's fields; those with C functions are never stored.
    """

    class_name: str
    fields: Table = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show only the class: fields may refer back to the object itself."""
        return f"TorchObject({self.class_name!r}, {len(self.fields)} fields)"


@dataclass(eq=False, repr=False, slots=True)
class LuaFunction:
    """A function, whose byte code is skipped and never run.

    Attributes:
        num_bytes: Length of the byte code.
        upvalues: The values that the function closes over, by position.
    """

    num_bytes: int
    upvalues: Any = None

    def __repr__(self) -> str:
        """Show only the length: upvalues may refer back to the function itself."""
        return f"LuaFunction({self.num_bytes} bytes)"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class ObjectKey:
    """A table, tensor or object as the key of a table: equal only to itself, as in Lua.

    Attributes:
        target: The object.
    """

    target: Any
