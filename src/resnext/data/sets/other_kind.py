"""Recognises data of other kinds than images with classes, to say how `--data` names them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from resnext.data.decode.image_names import is_image_name
from resnext.untrusted.names import shown
from resnext.untrusted.text import printable

_MAX_ENTRIES = 2_000
_MAX_DEPTH = 3
_SPLITS = ("train", "valid", "val", "test")


def advise_other_kind(path: Path) -> str | None:
    """Return what a file or folder seems to hold and how to name it; None if it may be images.

    At most 2,000 entries are looked at, and no file is opened.
    """
    found = None
    if path.is_file():
        found = _of_file(path)
    elif path.is_dir():
        found = _of_boxes(path) or _of_folder(path)
    if found is None:
        return None
    prefix, what, named = found
    return f"{printable(str(path))} seems to hold {what}; name it {prefix}:{printable(str(named))}"


_Found = tuple[str, str, Path]


def _of_file(path: Path) -> _Found | None:
    endings = {".ts": ("series", "time series"), ".npz": ("volume", "volumes")}
    known = endings.get(path.suffix.lower())
    return None if known is None else (*known, path)


def _of_boxes(root: Path) -> _Found | None:
    """Recognise the usual layouts of boxes, which have images too."""
    coco = [root / "_annotations.coco.json", *(root.glob("annotations/instances_*.json"))]
    coco += [root / split / "_annotations.coco.json" for split in _SPLITS]
    if any(path.is_file() for path in coco):
        return "coco", "boxes in COCO's format", root
    for folder in ("Annotations", "annotations"):
        if any(root.glob(f"{folder}/[!.]*.xml")):
            return "voc", "boxes in Pascal VOC's format", root
    has_labels = any((root / part / "labels").is_dir() for part in ("", *_SPLITS))
    if has_labels and any(root.glob("*.y*ml")):
        return "yolo", "boxes in YOLO's format", root
    return None


def _of_folder(root: Path) -> _Found | None:
    """Recognise signals by the names of files, if none is an image."""
    from resnext.data.decode.video_limits import VIDEO_SUFFIXES

    names = []
    for name in islice(_names(root, _MAX_DEPTH), _MAX_ENTRIES):
        if is_image_name(name) and not name.lower().endswith(".gif"):
            return None
        names.append(name)
    if not names:
        return None
    from resnext.data.decode.audio import AUDIO_ENDINGS  # loads torch
    from resnext.data.sets.nifti import NIFTI_SUFFIXES

    kinds: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("audio", "audio files", AUDIO_ENDINGS),
        ("video", "videos", VIDEO_SUFFIXES),
        ("volume", "NIfTI files", NIFTI_SUFFIXES),
        ("series", "time series", ("_train.ts",)),
    )
    for prefix, what, endings in kinds:
        example = next((name for name in names if name.lower().endswith(endings)), None)
        if example is not None:
            named = root / example if prefix == "series" else root
            return prefix, f"{what} such as {shown(example)}", named
    return None


def _names(root: Path, depth: int) -> Iterator[str]:
    """Walk the names of files, down to a depth; folders that cannot be read are left out."""
    try:
        with os.scandir(root) as entries:
            folders = []
            for entry in entries:
                if entry.is_dir():
                    folders.append(Path(entry.path))
                else:
                    yield entry.name
    except OSError:
        return
    for folder in folders if depth > 1 else ():
        yield from _names(folder, depth - 1)
