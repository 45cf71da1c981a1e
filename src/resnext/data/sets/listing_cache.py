"""Listings of large folders, cached until a folder changes.

The cache stores the names, and inode, modification and change time of every folder. Later calls
only check the folders, a thousand instead of a million entries, and get the names as a mapped file,
whose pages all processes share.

A cached listing is only used if its checksums match and every name is below the folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from resnext.cache import cache_folder
from resnext.checked_json import read_checked, write_checked
from resnext.data.mapped import map_array, write_array
from resnext.data.name_check import check_names
from resnext.data.names import PackedNames
from resnext.data.sets.listing import (
    IMAGES,
    FileKind,
    Listing,
    Stamp,
    is_settled,
    list_tree,
    stamp_of,
)
from resnext.data.shards.fields import Count, Text
from resnext.download import sha256_of

_LOG = logging.getLogger(__name__)
_VERSION = 3
_INDEX = "listing.json"
_MIN_FILES = 20_000  # fewer are listed in a moment; a cache of them would only be in the way
_KINDS: dict[str, np.dtype[Any]] = {"text": np.dtype(np.uint8), "ends": np.dtype(np.int64)}
_SETTLED_S = 2.0  # the coarsest clock of a file system in use (FAT)


class _Kept(BaseModel):
    """The index of a cached listing."""

    model_config = ConfigDict(frozen=True)

    version: int
    root: Text
    endings: tuple[str, ...]
    classes: tuple[Text, ...]
    counts: tuple[Count, ...]
    ignored: dict[Text, Count]
    files: Annotated[str, Field(pattern=r"\A[0-9a-f]{16}\z")]
    sha256: dict[str, str]
    folders: tuple[tuple[Text, Stamp], ...]


def list_images(root: Path, kind: FileKind = IMAGES) -> Listing:
    """List a folder of class folders, or use a cached listing if still valid.

    If the cache cannot be written, or a folder has just changed, nothing is cached.

    Args:
        root: The folder.
        kind: Which files are listed: images by default.
    """
    folder = cache_folder_of(root)
    listing = _read(root, folder, kind)
    if listing is not None:
        return listing
    listing, stamps = list_tree(root, kind)
    if len(listing.names) < _MIN_FILES or not is_settled(stamps, _SETTLED_S):
        return listing
    try:
        _write(folder, root, listing, stamps, kind)
    except OSError as error:
        _LOG.warning(
            "the listing of %s could not be cached in %s: %s", root, folder, error.strerror
        )
        return listing
    # From now on the names are pages of a file, which the system may drop and processes share.
    return _read(root, folder, kind) or listing


def cache_folder_of(root: Path) -> Path:
    """Return the cache's folder for a listing."""
    digest = hashlib.sha256(str(root.absolute()).encode("utf-8", "surrogateescape"))
    return cache_folder("listings") / digest.hexdigest()[:16]


def _read(root: Path, folder: Path, kind: FileKind = IMAGES) -> Listing | None:
    """Return the cached listing; None if there is none, it is damaged, or a folder has changed."""
    try:
        kept = _Kept.model_validate(read_checked(folder / _INDEX))
        if kept.version != _VERSION or kept.endings != kind.endings:
            return None
        if not all(stamp_of(root / name) == stamp for name, stamp in kept.folders):
            return None
        text, ends_n = (_map(folder, kept, part) for part in ("text", "ends"))
        if len(ends_n) != sum(kept.counts) or len(kept.counts) != len(kept.classes):
            return None
        check_names(text, ends_n)
    except (OSError, ValueError, KeyError):
        return None
    names = PackedNames.of(text, ends_n)
    return Listing(kept.classes, kept.counts, names, kept.ignored)


def _write(
    folder: Path,
    root: Path,
    listing: Listing,
    stamps: dict[str, Stamp],
    kind: FileKind = IMAGES,
) -> None:
    """Write the names, then the index that makes them valid, and remove old files."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {"text": listing.names.text, "ends": listing.names.ends_n}
    digest = hashlib.sha256()
    for values in arrays.values():
        digest.update(values.data)
    files = digest.hexdigest()[:16]
    sha256 = {}
    for part, values in arrays.items():
        path = folder / f"{files}.{part}.npy"
        write_array(path, values, folder / f"{files}.{part}.{os.getpid()}.partial")
        sha256[part] = sha256_of(path)
    index = {
        "version": _VERSION,
        "root": str(root),
        "endings": list(kind.endings),
        "classes": listing.classes,
        "counts": listing.counts,
        "ignored": listing.ignored,
        "files": files,
        "sha256": sha256,
        "folders": list(stamps.items()),
    }
    write_checked(folder / _INDEX, index)
    for old in folder.glob("*.npy"):
        if not old.name.startswith(files):
            with suppress(OSError):  # another process removes it too
                old.unlink()


def _map(folder: Path, kept: _Kept, part: str) -> NDArray[Any]:
    path = folder / f"{kept.files}.{part}.npy"
    values = map_array(path, _KINDS[part])
    if sha256_of(path) != kept.sha256[part]:
        raise ValueError("is damaged: its checksum differs")
    return values
