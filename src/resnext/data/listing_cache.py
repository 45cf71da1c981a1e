"""Listings of large folders, kept in the user's cache until a folder changes.

Kept are the names, and of every folder that was read its number and its times of modification and
change. Whoever asks again has only the folders looked at, a thousand instead of a million
entries, and gets the names as a mapped file, whose pages all processes share.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.cache import cache_folder
from resnext.data.decode import EXTENSIONS
from resnext.data.listing import Listing, Stamp, is_settled, list_tree, stamp_of
from resnext.data.names import PackedNames
from resnext.files import write_whole

_LOG = logging.getLogger(__name__)
_VERSION = 1
_INDEX = "listing.json"
_LEAST_FILES = 20_000  # fewer are listed in a moment; a cache of them would only be in the way
_SETTLED_S = 2.0  # the coarsest clock of a file system in use (FAT)


def list_images(root: Path) -> Listing:
    """List a folder of class folders, or take its listing from the cache if it still holds.

    Where the cache cannot be written, or a folder was changed a moment ago, the folder is
    listed again the next time.
    """
    place = place_of(root)
    listing = _read(root, place)
    if listing is not None:
        return listing
    listing, stamps = list_tree(root)
    if len(listing.names) < _LEAST_FILES or not is_settled(stamps, _SETTLED_S):
        return listing
    try:
        _write(place, root, listing, stamps)
    except OSError as error:
        _LOG.warning("the listing of %s is not kept in %s: %s", root, place, error.strerror)
        return listing
    # From now on the names are pages of a file, which the system may drop and processes share.
    return _read(root, place) or listing


def place_of(root: Path) -> Path:
    """Return the cache's folder for a listing."""
    digest = hashlib.sha256(str(root.absolute()).encode("utf-8", "surrogateescape"))
    return cache_folder("listings") / digest.hexdigest()[:16]


def _read(root: Path, place: Path) -> Listing | None:
    """Return the kept listing; None if there is none, it is torn, or a folder has changed."""
    try:
        index = json.loads((place / _INDEX).read_text(encoding="utf-8"))
        if index["version"] != _VERSION or index["endings"] != sorted(EXTENSIONS):
            return None
        if not all(stamp_of(root / name) == tuple(stamp) for name, stamp in index["folders"]):
            return None
        text, ends_n = (_map(place / f"{index['files']}.{part}.npy") for part in ("text", "ends"))
    except (OSError, ValueError, KeyError, EOFError):
        return None
    counts = tuple(index["counts"])
    if len(ends_n) != sum(counts) or (len(ends_n) and int(ends_n[-1]) != len(text)):
        return None
    names = PackedNames.of(text, ends_n)
    return Listing(tuple(index["classes"]), counts, names, index["num_ignored"])


def _write(place: Path, root: Path, listing: Listing, stamps: dict[str, Stamp]) -> None:
    """Write the names, then the index that makes them valid, and remove what was before."""
    place.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {"text": listing.names.text, "ends": listing.names.ends_n}
    digest = hashlib.sha256()
    for values in arrays.values():
        digest.update(values.data)
    files = digest.hexdigest()[:16]
    for part, values in arrays.items():
        partial = place / f"{files}.{part}.{os.getpid()}.partial"
        with partial.open("wb") as file:
            np.save(file, values, allow_pickle=False)
        partial.replace(place / f"{files}.{part}.npy")
    index = {
        "version": _VERSION,
        "root": str(root),
        "endings": sorted(EXTENSIONS),
        "classes": listing.classes,
        "counts": listing.counts,
        "num_ignored": listing.num_ignored,
        "files": files,
        "folders": list(stamps.items()),
    }
    write_whole(place / _INDEX, json.dumps(index), is_shared=True)
    for old in place.glob("*.npy"):
        if not old.name.startswith(files):
            with suppress(OSError):  # another process removes it too
                old.unlink()


def _map(path: Path) -> NDArray[Any]:
    values: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return values
