"""The checksum of an exported file, which its own description holds.

A runtime that reads a damaged graph can compute something else, or end the process. The checksum
is that of the file with zeros in the checksum's place, and of the file of weights beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from resnext.errors import CheckpointError, ExportError
from resnext.runtimes.spec import UNSEALED


def seal(path: Path, beside: Iterable[Path] = ()) -> None:
    """Put the checksum into a file's description.

    Args:
        path: The file, whose description was made by `resnext.runtimes.spec.describe`.
        beside: Files that belong to it.

    Raises:
        ExportError: The place of the checksum is not there, or there are several.
    """
    content = path.read_bytes()
    if content.count(UNSEALED.encode()) != 1:
        raise ExportError(f"{path}: cannot be given a checksum; please report this")
    sealed = content.replace(UNSEALED.encode(), _checksum(content, beside).encode())
    path.write_bytes(sealed)


def check_seal(
    path: Path, content: bytes, checksum: str, beside: Iterable[bytes | memoryview] = ()
) -> None:
    """Compare a file with the checksum of its description.

    Args:
        path: The file, for the message.
        content: Its bytes.
        checksum: What its description holds; empty in files of older versions, which pass.
        beside: Bytes of the files that belong to it.

    Raises:
        CheckpointError: The file is not what was written.
    """
    if not checksum:
        return
    digits = checksum.encode(errors="replace")
    unsealed = content.replace(digits, UNSEALED.encode(), 1)
    if content.count(digits) != 1 or checksum != _digest([unsealed, *beside]):
        raise CheckpointError(
            f"{path}: is damaged: it or a file beside it is not what `resnext export` wrote (the "
            "checksum differs); copy the files again, or export the network anew"
        )


def _checksum(content: bytes, beside: Iterable[Path]) -> str:
    return _digest([content, *(path.read_bytes() for path in beside)])


def _digest(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f"{UNSEALED.partition(':')[0]}:{digest.hexdigest()}"
