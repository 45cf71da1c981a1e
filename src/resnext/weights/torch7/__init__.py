"""Reader of Torch7's `.t7` files: Lua objects as Python ones, without running any of them."""

from resnext.weights.torch7.read import read_torch7
from resnext.weights.torch7.values import LuaFunction, ObjectKey, TorchObject

__all__ = ["LuaFunction", "ObjectKey", "TorchObject", "read_torch7"]
