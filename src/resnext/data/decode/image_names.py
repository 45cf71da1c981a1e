"""Identifies image files by their extension or, without one, by their first bytes."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath

from resnext.data.decode.image_limits import FORMATS, starts_like_image

_AVIF = frozenset({".avif"}) if "AVIF" in FORMATS else frozenset()
EXTENSIONS = _AVIF | {
    *(".bmp", ".dib", ".gif", ".webp"),
    *(".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".pjpg", ".pjpeg", ".mpo"),
    *(".jpg_large", ".jpeg_large", ".png_large"),  # as they are saved from some web sites
    *(".png", ".apng", ".tif", ".tiff"),
    *(".pbm", ".pgm", ".pnm", ".ppm", ".pfm"),
}
"""Extensions of image files, in lower case; files are decoded by content."""

_SUFFIXES = tuple(EXTENSIONS)  # str.endswith takes a tuple, and a million names fast
_NUM_START_BYTES = 32
_EXTENSION = re.compile(r"\.[a-z0-9_-]{1,12}", re.ASCII)
_MAX_KINDS, _MAX_SHOWN_KINDS = 100, 8


def is_image_name(name: str) -> bool:
    """Return whether a file is an image by its extension; hidden files are not."""
    return name.lower().endswith(_SUFFIXES) and not name.startswith(".")


def is_image(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is an image file that is not hidden."""
    name = entry.name
    if name.startswith(".") or not entry.is_file():
        return False
    return is_image_name(name) or ("." not in name and _starts_like_image(entry.path))


def count_ignored(name: str, kinds: Counter[str]) -> None:
    """Count a file that is not an image by its kind: its extension, if it is a common one."""
    kind = _kind_of(name)
    kinds[kind if kind in kinds or len(kinds) < _MAX_KINDS else "other"] += 1


def _kind_of(name: str) -> str:
    if name.startswith("."):
        return "hidden"
    if "." not in name:
        return "without extension"
    extension = PurePath(name).suffix.lower()
    return extension if _EXTENSION.fullmatch(extension) else "other"


def describe_ignored(kinds: Mapping[str, int]) -> str:
    """Describe how many files of which kinds were left out: "10 .heic, 2 .txt, 1 hidden"."""
    common = Counter(kinds).most_common()
    parts = [f"{number:,} {kind}" for kind, number in common[:_MAX_SHOWN_KINDS]]
    if rest := sum(number for _, number in common[_MAX_SHOWN_KINDS:]):
        parts.append(f"{rest:,} of other kinds")
    return ", ".join(parts)


def _starts_like_image(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            return starts_like_image(file.read(_NUM_START_BYTES))
    except OSError:
        return False
