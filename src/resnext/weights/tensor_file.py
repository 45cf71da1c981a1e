"""This package's safetensors files: written atomically, read in bounded memory, with a checksum.

Besides the caller's metadata, the header contains a SHA-256 of everything else in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from resnext.errors import CheckpointError
from resnext.files import flush, replacing
from resnext.foreign_file import check_regular, one_error
from resnext.untrusted.names import is_utf8

CHECKSUM = "checksum"
"""Metadata key of the checksum."""

MAX_HEADER_BYTES = 32 * 2**20
"""A network of 10,000 tensors and 20,000 classes needs about 2 MiB."""


@dataclass(frozen=True)
class TensorFile:
    """Content of a safetensors file.

    Attributes:
        metadata: The metadata of its header.
        tensors: The tensors by name, on the CPU.
    """

    metadata: dict[str, str]
    tensors: dict[str, torch.Tensor]

    @property
    def has_checksum(self) -> bool:
        """Whether the header contains our checksum."""
        return CHECKSUM in self.metadata


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file atomically.

    It is written to a temporary file, flushed to disk and renamed.

    Args:
        path: The file; an existing one is replaced.
        tensors: Tensors on any device, in any memory layout.
        metadata: Metadata of the file's header; the checksum is added.

    Raises:
        CheckpointError: The file cannot be written (full disk, no permission).
    """
    path = Path(path)
    _check_name(path)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as partial:
            save_file(plain, partial, {**metadata, CHECKSUM: _checksum(metadata, plain)})
        flush(path.parent)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path}: cannot be written ({error}); free some space or choose another folder"
        ) from error


def read_tensors(path: Path) -> TensorFile:
    """Read a file written by `write_tensors`, and verify its checksum if it has one.

    Raises:
        CheckpointError: The file is missing, incomplete, of another kind, or changed.
    """
    found = read_any(path)
    verify(path, found)
    return found


def read_any(path: Path) -> TensorFile:
    """Read header and tensors of any safetensors file, without verification.

    Raises:
        CheckpointError: The file is missing, incomplete, of another kind, or has an oversized
            header.
    """
    _check_name(path)
    check_regular(path)
    with _reading(path):
        _check_header(path)
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    return TensorFile(metadata, tensors)


def verify(path: Path, file: TensorFile) -> None:
    """Verify a file's content against its checksum, if it has one.

    Raises:
        CheckpointError: The content has changed.
    """
    texts = {name: text for name, text in file.metadata.items() if name != CHECKSUM}
    if file.has_checksum and file.metadata[CHECKSUM] != _checksum(texts, file.tensors):
        raise damaged(path)


def damaged(path: Path) -> CheckpointError:
    """Build the error of a file whose content has changed since it was written."""
    return CheckpointError(
        f"{path}: is damaged: its content has changed since it was written (the checksum "
        "differs); copy or download it again, or use the weights of another epoch or run"
    )


def _reading(path: Path) -> AbstractContextManager[None]:
    return one_error(
        path,
        "cannot be read as a safetensors file",
        "it is incomplete or of another kind: copy it again, or use the weights of another epoch "
        "or run",
    )


def _check_name(path: Path) -> None:
    if not is_utf8(str(path)):
        raise CheckpointError(
            f"{path}: safetensors only accepts UTF-8 paths; rename the file or folder, or use a "
            "symbolic link"
        )


def _check_header(path: Path) -> None:
    """Limit the header's length, given by its first eight bytes."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER_BYTES, path.stat().st_size):
        raise ValueError(f"it declares a header of {length:,} bytes")


def _checksum(metadata: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> str:
    """Hash the texts of the header and the names, types, shapes and values of the tensors."""
    names = sorted(tensors)
    layout = [(name, str(tensors[name].dtype), list(tensors[name].shape)) for name in names]
    digest = hashlib.sha256(json.dumps([sorted(metadata.items()), layout]).encode())
    for name in names:
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
