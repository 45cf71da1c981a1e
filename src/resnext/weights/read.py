"""Any weight file to tensors by name, told by its first bytes; nothing in it is executed."""

from __future__ import annotations

import argparse
import pickle
import re
import zipfile
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from resnext.errors import CheckpointError
from resnext.weights.unwrap import unwrap

Kind = Literal["safetensors", "torch", "torch7", "pickle"]

_TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

_GLOBAL = re.compile(r"GLOBAL (\S+)")  # torch names what it refused to make


def kind_of(path: Path) -> Kind | None:
    """Tell a file's format by its first bytes, or None where it has none that is read here."""
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


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a weight file of any library.

    Args:
        path: A safetensors file, one that `torch.save` wrote, or a Torch7 file.

    Returns:
        The tensors on the CPU, by the names that the file gives them.

    Raises:
        CheckpointError: The file is missing, damaged, of another kind, or would have to
            execute code to be read.
    """
    try:
        kind = kind_of(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if kind == "safetensors":
        return _read_safetensors(path)
    if kind == "torch":
        return _read_torch(path)
    if kind == "torch7":
        return _read_torch7(path)
    raise CheckpointError(f"{path}: {_REASONS[kind]}")


_REASONS = {
    "pickle": (
        "is a plain Python pickle, which can execute any code when it is read, and is not "
        "opened; load it where you trust it and save its tensors with torch.save or safetensors"
    ),
    None: (
        "is no weight file: its first bytes are those of neither safetensors, torch.save nor "
        "Torch7; was the download cut off, or an error page saved in its place?"
    ),
}


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be read as a safetensors file ({error}); it is incomplete or damaged: "
            "copy or fetch it again"
        ) from None


def _read_torch(path: Path) -> dict[str, torch.Tensor]:
    if _is_script(path):
        raise CheckpointError(f"{path}: {_refusal('is a TorchScript program')}")
    # timm and torchvision's references store their command line's arguments beside the
    # tensors. A Namespace only holds attributes, so that making one executes nothing.
    try:
        # The open file, since torch.load would go by the suffix of a name.
        with path.open("rb") as file, torch.serialization.safe_globals([argparse.Namespace]):
            saved = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        blocked = _GLOBAL.search(str(error))
        reason = f"holds more than tensors: {blocked[1] if blocked else 'an unknown object'}"
        raise CheckpointError(f"{path}: {_refusal(reason)}") from None
    # A damaged archive can fail in any of these ways inside torch.
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: cannot be read by torch.load ({reason}); it is incomplete or damaged: copy "
            "or fetch it again"
        ) from None
    try:
        return unwrap(saved)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _refusal(reason: str) -> str:
    return (
        f"{reason}, which could execute code when it is read, and is not opened; load it where "
        "you trust it and save its tensors: torch.save(model.state_dict(), FILE)"
    )


def _is_script(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _read_torch7(path: Path) -> dict[str, torch.Tensor]:
    from resnext.weights.families.torch7 import from_torch7
    from resnext.weights.torch7 import read_torch7

    try:
        return from_torch7(read_torch7(path))
    except CheckpointError as error:
        raise error if str(path) in str(error) else CheckpointError(f"{path}: {error}") from None
