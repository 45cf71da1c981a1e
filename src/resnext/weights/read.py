"""Reads any weight file, identified by its first bytes, without executing anything in it."""

from __future__ import annotations

import argparse
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch

from resnext.errors import CheckpointError
from resnext.files import read_whole
from resnext.foreign_file import check_archive, check_regular, one_error
from resnext.untrusted.text import printable
from resnext.weights.foreign_kind import describe_kind
from resnext.weights.tensor_file import TensorFile, read_any
from resnext.weights.unwrap import unwrap

Kind = Literal["safetensors", "torch", "torch7", "pickle"]

_TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

_AGAIN = "it is incomplete or damaged: copy or download it again"
_MAX_SHARED = 2
"""Limit for tensors that share values, as tied layers do; no network shares all of them."""

_MAX_SHOWN = 120
_GLOBAL = re.compile(r"GLOBAL (\S+)")  # torch names what it refused to make


def kind_of(path: Path) -> Kind | None:
    """Return a file's format by its first bytes, or None if it is not supported."""
    with path.open("rb") as file:
        start = file.read(16)
    if start[:4] == b"PK\x03\x04" or start.startswith(_TORCH_LEGACY_MAGIC):
        return "torch"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < path.stat().st_size:
        return "safetensors"
    # Torch7 starts with the kind of its first object: a table (3) or a class (4); in its text
    # form, which the reader explains, as digits.
    if start[:4] in (b"\x03\0\0\0", b"\x04\0\0\0") or start[:2] in (b"3\n", b"4\n"):
        return "torch7"
    return "pickle" if start[:1] == b"\x80" else None


def read_file(path: Path) -> tuple[Kind, TensorFile]:
    """Read a weight file of any library, each part once.

    Args:
        path: A safetensors file, a `torch.save` file, or a Torch7 file.

    Returns:
        Its format, and the unverified tensors on the CPU by their names in the file. Only
        safetensors has metadata.

    Raises:
        CheckpointError: The file is missing, damaged, of another kind, or would have to
            execute code to be read.
    """
    check_regular(path)
    kind = kind_of(path)
    if kind in ("torch", None) and (other := describe_kind(path)):
        raise CheckpointError(f"{path}: {other}")
    if kind == "safetensors":
        return kind, read_whole(path, read_any)  # a training may replace it meanwhile
    if kind == "torch":
        return kind, TensorFile({}, _read_torch(path))
    if kind == "torch7":
        return kind, TensorFile({}, _read_torch7(path))
    raise CheckpointError(f"{path}: {_REASONS[kind]}")


_REASONS = {
    "pickle": (
        "is a plain Python pickle, which can execute arbitrary code and is therefore not opened; "
        "load it where you trust it and save its tensors with torch.save or safetensors"
    ),
    None: (
        "is not a weight file: its first bytes match neither safetensors, torch.save nor Torch7; "
        "the download may be incomplete or an error page"
    ),
}


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    if _is_zip(path):
        with one_error(path, "cannot be read by torch.load", _AGAIN):
            if _is_script(path):
                raise CheckpointError(f"{path}: {_refusal('is a TorchScript program')}")
        check_archive(path)
    # timm and torchvision's references store their command line's arguments beside the
    # tensors. A Namespace only holds attributes, so that making one executes nothing.
    with one_error(path, "cannot be read by torch.load", _AGAIN):
        try:
            # The open file, since torch.load would go by the suffix of a name.
            with path.open("rb") as file, torch.serialization.safe_globals([argparse.Namespace]):
                saved = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            blocked = _GLOBAL.search(str(error))
            held = printable(blocked[1][:60]) if blocked else "an unknown object"
            raise CheckpointError(
                f"{path}: {_refusal(f'holds more than tensors: {held}')}"
            ) from None
        try:
            tensors = unwrap(saved)
            check_tensors(tensors, path.stat().st_size)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from None
    return {name: tensor.detach() for name, tensor in tensors.items()}


def check_tensors(tensors: Mapping[str, torch.Tensor], num_bytes: int) -> None:
    """Check the size of loaded tensors against the file's size.

    torch.load enlarges a storage that is too small for its tensor, and accepts a stride of zero,
    with which one number can expand to any amount of memory when copied.

    Args:
        tensors: The tensors by name.
        num_bytes: Size of the file.

    Raises:
        CheckpointError: One is not a plain tensor, or they are larger than the file. The message
            omits the file's name.
    """
    storages: dict[int, int] = {}
    for name, tensor in tensors.items():
        is_dense = tensor.layout is torch.strided and not tensor.is_nested
        if not is_dense or tensor.is_quantized or tensor.device.type != "cpu":
            raise CheckpointError(
                f"its {printable(name[:_MAX_SHOWN])} is not a plain tensor (sparse, quantised or "
                "without values); save the network's tensors in full precision"
            )
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        if tensor.numel() * tensor.element_size() > storage.nbytes():
            raise CheckpointError(f"its {printable(name[:_MAX_SHOWN])} repeats values; {_AGAIN}")
    wanted = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if sum(storages.values()) > num_bytes or wanted > _MAX_SHARED * num_bytes:
        raise CheckpointError(
            f"its tensors claim {max(wanted, sum(storages.values())):,} bytes, but the file has "
            f"{num_bytes:,}; {_AGAIN}"
        )


def _refusal(reason: str) -> str:
    return (
        f"{reason}, which could execute code and is therefore not opened; load it where you "
        "trust it and save its tensors: torch.save(model.state_dict(), FILE)"
    )


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _is_script(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _read_torch7(path: Path) -> dict[str, torch.Tensor]:
    from resnext.weights.families.torch7 import from_torch7
    from resnext.weights.torch7.read import read_torch7

    with one_error(path, "cannot be read as a Torch7 file", _AGAIN):
        try:
            return from_torch7(read_torch7(path))
        except CheckpointError as error:
            is_named = str(path) in str(error)
            raise error if is_named else CheckpointError(f"{path}: {error}") from None
