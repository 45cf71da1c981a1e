"""Checks the content of a TorchScript file before torch opens it.

A TorchScript program may loop forever, and its operators can read and write files. Its tensors are
read by C++ that trusts the sizes in the file. Here the code is compared with what `resnext export`
writes, one function that calls operators of networks, and the sizes are checked against the bytes.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.runtimes.spec import KEY
from resnext.untrusted.names import shown

OPERATORS = frozenset({
    "_convolution", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "add",
    "add_", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "cat", "conv1d", "conv2d",
    "conv3d", "dropout", "flatten", "isnan", "linear", "masked_fill", "max_pool1d", "max_pool2d",
    "max_pool3d", "mean", "movedim", "mul", "mul_", "pad", "relu", "relu_", "reshape", "slice",
    "sub", "to",
})  # fmt: skip

PART_OPERATORS = frozenset({
    "amax", "div", "elu", "exp", "gelu", "group_norm", "hardsigmoid", "hardswish", "layer_norm",
    "leaky_relu", "maximum", "permute", "pow", "sigmoid", "silu", "softmax", "softplus", "sqrt",
    "sum", "tanh", "unsqueeze",
})  # fmt: skip
"""Operators of registered blocks; none enlarges its input."""

_CODE = re.compile(r"code/__torch__/[\w/.]+\.py")
_ENTRY = re.compile(
    rf"{_CODE.pattern}(\.debug_pkl)?|(data|constants)\.pkl|constants/\d+|version|byteorder"
    rf"|\.data/\w+|extra/{KEY}"
)
_STRING = re.compile(r'"[\w ]*"')
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")
_LONG_NUMBER = re.compile(r"(?<![\w.])\d{8,}(?![\w.])")
_KEYWORDS = frozenset({"for", "while", "if", "import", "lambda", "ops", "prim", "getattr"})
_ITEM_BYTES = {"FloatStorage": 4, "LongStorage": 8, "DoubleStorage": 8, "BoolStorage": 1}


def check_script(path: Path) -> None:
    """Check a file.

    Raises:
        CheckpointError: It contains something that `resnext export` does not write.
        Exception: An entry is damaged; any error that a pickle can raise.
    """
    reader = torch._C.PyTorchFileReader(str(path))  # torch's reader: it sees what torch will see
    sizes: dict[str, int] = {}
    for entry in reader.get_all_records():
        if not _ENTRY.fullmatch(entry):
            raise _refusal(path, f"it has an entry {shown(entry)}")
        sizes[entry] = reader.get_record_size(entry)
        is_code = _CODE.fullmatch(entry) is not None
        odd = _find_odd(reader.get_record(entry).decode()) if is_code else None
        if odd is not None:
            raise _refusal(path, odd)
    for name in ("data", "constants"):
        odd = _find_odd_pickle(reader.get_record(f"{name}.pkl"), name, sizes)
        if odd is not None:
            raise _refusal(path, f"its {name}.pkl {odd}")


def _find_odd(code: str) -> str | None:
    """Describe what the code of a network would not contain."""
    code = _STRING.sub("", code)
    if not code.isascii() or any(char in code for char in "\\\"'@;"):
        return "its code has unexpected characters"
    if number := _LONG_NUMBER.search(code):
        return f"its code has a number {shown(number[0])}"
    for word in _WORD.findall(code):
        parts = word.split(".")
        if _KEYWORDS.intersection(parts) or any(part.startswith("__set") for part in parts):
            return f"its code has {shown(word)}"
    classes = set(re.findall(r"^class (\w+)\(Module\):$", code, re.MULTILINE))
    for called in _CALL.findall(code):
        package, _, name = called.rpartition(".")
        is_own = not package and (name == "forward" or name in classes)
        if not is_own and not (package == "torch" and name in OPERATORS | PART_OPERATORS):
            return f"its code calls {shown(called)}"
    return None


def _find_odd_pickle(content: bytes, name: str, sizes: dict[str, int]) -> str | None:
    """Describe the first size in a pickle that exceeds its data."""
    for opcode, argument, _ in pickletools.genops(content):
        # torch's reader, like Python's, allocates a table as long as the largest index in it
        if opcode.name.endswith("PUT") and int(argument or 0) > len(content):
            return f"has a position {argument:,} in a table"
        if opcode.name in _MAPPINGS and name == "constants":
            return "holds a mapping"
    if name == "data":  # a frozen network has no tensors but constants
        return None if b"_rebuild" not in content else "holds tensors"
    try:
        _Sizes(content, name, sizes).load()
    except _OddSizeError as error:
        return str(error)
    return None


_MAPPINGS = frozenset({"DICT", "SETITEM", "SETITEMS"})


class _OddSizeError(Exception):
    """A tensor or storage is larger than its data."""


class _Sizes(pickle.Unpickler):
    """Follows the construction of tensors without constructing any."""

    def __init__(self, content: bytes, folder: str, sizes: dict[str, int]) -> None:
        super().__init__(io.BytesIO(content))
        self._folder, self._sizes = folder, sizes

    def find_class(self, _module: str, name: str) -> Any:
        """Return a stub instead of importing a class; only tensors and empty hooks are allowed."""
        return {"_rebuild_tensor_v2": _check_tensor, "OrderedDict": OrderedDict}.get(name, name)

    def persistent_load(self, pid: Any) -> int:
        """Return the number of values of a storage."""
        _, kind, key, _, num_values = pid
        if num_values * _ITEM_BYTES[kind] > self._sizes.get(f"{self._folder}/{key}", 0):
            raise _OddSizeError(f"has a storage of {num_values:,} values, which is missing")
        return int(num_values)


def _check_tensor(num_values: int, offset: int, sizes: Any, strides: Any, *_: Any) -> None:
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if math.prod(sizes) > num_values or min(sizes, default=1) < 0 or not 0 <= last < num_values:
        raise _OddSizeError(f"has a tensor {shown(sizes)}, larger than its {num_values:,} values")


def _refusal(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: refused: {why}, which `resnext export` does not write; export the network "
        "again from its run or weight file"
    )
