"""The checksum of an exported file, stored in its description.

A runtime that reads a damaged graph can compute wrong results or crash. The checksum covers the
file, with zeros in place of the checksum, and its separate weight file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from resnext.errors import CheckpointError, ExportError
from resnext.runtimes.spec import UNSEALED


def seal(path: Path, beside: Iterable[Path] = ()) -> None:
    """Insert the checksum into a file's description.

    Args:
        path: The file, with a description from `resnext.runtimes.spec.describe`.
        beside: Files that belong to it, such as weights.

    Raises:
        ExportError: The placeholder of the checksum is missing or not unique.
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
        checksum: The checksum in its description; empty in files of older versions, which are
            accepted.
        beside: Bytes of the files that belong to it.

    Raises:
        CheckpointError: The file has changed.
    """
    if not checksum:
        return
    digits = checksum.encode(errors="replace")
    unsealed = content.replace(digits, UNSEALED.encode(), 1)
    if content.count(digits) != 1 or checksum != _digest([unsealed, *beside]):
        raise CheckpointError(
            f"{path}: is damaged: it or its weight file has changed since `resnext export` wrote "
            "it (the checksum differs); copy the files again, or export the network again"
        )


def _checksum(content: bytes, beside: Iterable[Path]) -> str:
    return _digest([content, *(path.read_bytes() for path in beside)])


def _digest(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f"{UNSEALED.partition(':')[0]}:{digest.hexdigest()}"
