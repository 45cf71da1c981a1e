"""What a TorchScript file may compute, checked before torch opens it.

A program in TorchScript may loop for ever, and its operators can read and write files. Here its
code is compared with what `resnext export` writes: one function that calls operators of networks.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch

from resnext.errors import CheckpointError
from resnext.untrusted.names import shown

OPERATORS = frozenset({
    "_convolution", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "add",
    "add_", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "cat", "conv1d", "conv2d",
    "conv3d", "dropout", "flatten", "linear", "max_pool1d", "max_pool2d", "max_pool3d", "mean",
    "movedim", "mul", "mul_", "pad", "relu", "relu_", "reshape", "slice", "sub", "to",
})  # fmt: skip

_MAX_DIGITS = 7  # of a whole number: 2**20
_CODE = re.compile(r"[^/]+/code/__torch__/[\w/.]+\.py")
_STRING = re.compile(r'"[\w ]*"')
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")
_KEYWORDS = frozenset({"for", "while", "if", "import", "lambda", "ops", "prim", "getattr"})
_LONG_NUMBER = re.compile(rf"(?<![\w.])\d{{{_MAX_DIGITS + 1},}}(?![\w.])")


def check_script(path: Path) -> None:
    """Check the code of a file.

    Raises:
        CheckpointError: It does something that no network of `resnext export` does.
    """
    reader = torch._C.PyTorchFileReader(str(path))  # torch's own: it sees what torch will see
    for entry in reader.get_all_records():
        if not entry.startswith("code/") or entry.endswith(".debug_pkl"):
            continue
        if not _CODE.fullmatch(f"archive/{entry}"):
            raise _refusal(path, f"it has code named {shown(entry)}")
        odd = _find_odd(reader.get_record(entry).decode())
        if odd is not None:
            raise _refusal(path, f"it {odd}")


def _find_odd(code: str) -> str | None:
    """Return what a network would not do, in words."""
    code = _STRING.sub("", code)
    if not code.isascii() or any(char in code for char in "\\\"'@;"):
        return "has text in its code"
    if number := _LONG_NUMBER.search(code):
        return f"has a number {shown(number[0])}"
    for word in _WORD.findall(code):
        parts = word.split(".")
        if _KEYWORDS.intersection(parts) or any(part.startswith("__set") for part in parts):
            return f"has code with {shown(word)}"
    classes = set(re.findall(r"^class (\w+)\(Module\):$", code, re.MULTILINE))
    for called in _CALL.findall(code):
        package, _, name = called.rpartition(".")
        is_own = not package and (name == "forward" or name in classes)
        if not is_own and not (package == "torch" and name in OPERATORS):
            return f"calls {shown(called)}"
    return None


def _refusal(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: is not opened: {why}, which no network that `resnext export` writes does; export "
        "the network anew from its run or weight file"
    )
