"""Identical images in training and validation, which make the error look too low."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_BLOCK = 2**20


def find_duplicates(
    train_root: Path, train: Iterable[str], val_root: Path, val: Iterable[str]
) -> list[tuple[str, str]]:
    """Find validation files that are identical to a training file.

    Only files of equal size are read. Unreadable files are skipped.

    Args:
        train_root: The folder of the training files.
        train: Their names.
        val_root: The folder of the validation files.
        val: Their names.

    Returns:
        Pairs of the first identical training file and the validation file.
    """
    by_size: dict[int, list[str]] = defaultdict(list)
    for name in train:
        by_size[_size(train_root / name)].append(name)
    first: dict[tuple[int, bytes], str] = {}
    hashed: set[int] = set()
    pairs = []
    for name in val:
        size = _size(val_root / name)
        if size <= 0 or size not in by_size:
            continue
        if size not in hashed:
            hashed.add(size)
            for other in by_size[size]:
                first.setdefault((size, _digest(train_root / other)), other)
        twin = first.get((size, _digest(val_root / name)))
        if twin is not None:
            pairs.append((twin, name))
    return pairs


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return os.urandom(16)
    return digest.digest()
