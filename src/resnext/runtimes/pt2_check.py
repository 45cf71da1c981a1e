"""Checks the content of a .pt2 file before torch opens it.

`torch.export.load` unpickles, evaluates formulas, compiles names into Python, looks up functions by
name and loads compiled libraries, all from the file. Here each entry is compared with what `resnext
export` writes; anything else is refused.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch.export.pt2_archive import PT2ArchiveReader

from resnext.errors import CheckpointError
from resnext.runtimes.spec import KEY

_SAMPLE_INPUTS = "data/sample_inputs/model.pt"
_ENTRY = re.compile(
    r"archive_format|archive_version|byteorder|\.data/\w+|models/model\.json"
    r"|data/weights/(weight_\d+|model_\w+\.json)|data/constants/(tensor_\d+|model_\w+\.json)"
    rf"|{re.escape(_SAMPLE_INPUTS)}|extra/{KEY}"
)
_NAME = re.compile(r"[\w.+-]*")
_ARITHMETIC = re.compile(r"_operator\.(add|sub|mul|floordiv|neg)")
"""Arithmetic on the sides of an image, by which networks for pixels resize and pad."""

_OPERATOR = re.compile(rf"torch\.ops\.aten\.\w+\.\w+|{_ARITHMETIC.pattern}")
_MAX_NUMBER = 2**20  # in arithmetic on sides
# These cannot form strings, attributes or Python builtins, and no power, whose value may be huge.
_FORMULA = re.compile(
    r"L\['\w+'\]\.size\(\)\[\d+\]|torch\.sym_max(?=\()|Symbol\('\w+'"
    r"|(?:positive|nonnegative|integer)=True|and|or|not|\*(?!\*)|[-+/%<>=!(), \d]"
    r"|\b(?:Symbol|Integer|Add|Mul|Mod|PythonMod|FloorDiv|CleanDiv|Max|Min|Where|Identity"
    r"|Eq|Ne|Lt|Le|Gt|Ge|And|Or|Not)\b"
)
_TREE = re.compile(
    r'"(?:type|context|children_spec|null|\[\]|builtins\.(?:tuple|list|dict))"|null|[\[\]{}:, \d]'
)
_TOKENS = {"guards_code": _FORMULA, "expr_str": _FORMULA, "in_spec": _TREE, "out_spec": _TREE}
_UNUSED = {"stack_trace", "nn_module_stack", "torch_fn"}  # debug information, which torch keeps


def check_program(path: Path) -> None:
    """Check a .pt2 file before torch opens it.

    Args:
        path: A zip file.

    Raises:
        CheckpointError: It contains something that `resnext export` does not write.
    """
    with zipfile.ZipFile(path) as archive:
        if "version" in archive.namelist():  # the same test as in torch.export.load
            raise _refusal(path, "it has the layout of PyTorch 2.7 or earlier")
    reader = PT2ArchiveReader(str(path))  # torch's reader: it sees the same entries as torch
    for entry in reader.get_file_names():
        if not _ENTRY.fullmatch(entry):
            raise _refusal(path, f"it has an entry {entry!r}")
        if entry.endswith(".json"):
            odd = _find_odd(json.loads(reader.read_bytes(entry)), "")
            if odd is not None:
                raise _refusal(path, f"{entry} has {odd}")
    try:
        torch.load(io.BytesIO(reader.read_bytes(_SAMPLE_INPUTS)), weights_only=True)
    except Exception:  # any error: torch would try again, without restrictions
        raise _refusal(path, f"{_SAMPLE_INPUTS} is not a pickle of tensors only") from None


def _find_odd(value: Any, key: str) -> str | None:
    """Describe the first value in parsed JSON that could become code."""
    if isinstance(value, dict):
        if _ARITHMETIC.fullmatch(str(value.get("target"))) and not _is_small_arithmetic(value):
            return f"an operator {value['target']} of other things than sides"
        found = [_find_odd(name, "") or _find_odd(item, name) for name, item in value.items()]
    elif isinstance(value, list):
        found = [_find_odd(item, key) for item in value]
    elif isinstance(value, str):
        found = [None if _is_plain(value, key) else f"{key or 'a name'} {value[:80]!r}"]
    else:
        found = ["a payload marked use_pickle" if key == "use_pickle" and value else None]
    return next((words for words in found if words), None)


def _is_small_arithmetic(node: dict[str, Any]) -> bool:
    """Tell whether a node computes with sides and small constants only.

    Python's operators also take text, lists and numbers of any length. Of a product, one factor
    must be a constant, so that no sequence of nodes squares a number again and again.
    """
    inputs = node.get("inputs")
    terms = [_term_of(argument) for argument in inputs] if isinstance(inputs, list) else [None]
    constants = [term for term in terms if isinstance(term, int)]
    is_product_of_sides = node["target"] == "_operator.mul" and not constants
    are_small = all(abs(number) <= _MAX_NUMBER for number in constants)
    return None not in terms and are_small and not is_product_of_sides


def _term_of(argument: Any) -> int | str | None:
    """Return a constant, the name of a side, or None for any other argument."""
    match argument:
        case {"arg": {"as_int": int(number), **rest}} if not rest:
            return number
        case {"arg": {"as_sym_int": {"as_name": str(name), **inner}, **rest}} if not inner | rest:
            return name
    return None


def _is_plain(text: str, key: str) -> bool:
    if key in _UNUSED:
        return True
    if key in _TOKENS:
        is_known = not _TOKENS[key].sub("", text)
        return is_known and (_TOKENS[key] is not _FORMULA or _is_small_formula(text))
    return (_OPERATOR if key == "target" else _NAME).fullmatch(text) is not None


def _is_small_formula(text: str) -> bool:
    """Tell whether a formula has small values: no power, no shift, no repeated tuple."""
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not any(isinstance(node, (ast.Tuple, ast.Pow, ast.LShift)) for node in nodes)


def _refusal(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: refused, because torch could run code from it: {why}, which `resnext export` "
        "does not write; export the network again from its run or weight file"
    )
