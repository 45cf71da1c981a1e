"""What stands for Lua's values that Python has no type for.

nil is None, a boolean bool, a number int where it is whole and float otherwise, a string str
(bytes that are no UTF-8 become surrogates), a table dict, a tensor torch.Tensor, and a storage
a torch.Tensor of one dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Table = dict[Any, Any]
"""A Lua table: its keys are str, int, float, bool or `ObjectKey`; lists count from 1."""


@dataclass(eq=False, repr=False, slots=True)
class TorchObject:
    """An object of a class of Torch, such as `nn.Linear`, of which only the data are known.

    Attributes:
        class_name: The class, as the file names it.
        fields: The object's fields; those that hold functions of C are never written.
    """

    class_name: str
    fields: Table = field(default_factory=dict)

    def __repr__(self) -> str:
        """Name the class only: fields may lead back to the object itself."""
        return f"TorchObject({self.class_name!r}, {len(self.fields)} fields)"


@dataclass(eq=False, repr=False, slots=True)
class LuaFunction:
    """A function, whose byte code is left in the file and never run.

    Attributes:
        num_bytes: Length of the byte code.
        upvalues: The values that the function has closed over, by position.
    """

    num_bytes: int
    upvalues: Any = None

    def __repr__(self) -> str:
        """Say the length only: upvalues may lead back to the function itself."""
        return f"LuaFunction({self.num_bytes} bytes)"


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class ObjectKey:
    """A table, tensor or object as the key of a table: equal only to itself, as in Lua.

    Attributes:
        target: The object.
    """

    target: Any
