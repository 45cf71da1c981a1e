"""From ImageNet's official archives to `train/CLASS` and `val/CLASS`.

Every step can be interrupted and repeated: class folders, images and the sorted validation folder
only appear when complete.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from resnext.class_lists import readable
from resnext.data.decode.image_names import is_image_name
from resnext.data.sets.imagenet.archives import (
    images_in,
    md5_of,
    open_tar,
    refuse_hostile,
    unpack_class,
    write_member,
)
from resnext.data.sets.imagenet.layout import ARCHIVES, ImageNetLayout, hidden, is_synset
from resnext.data.sets.imagenet.scan import Progress
from resnext.errors import DataError
from resnext.files import write_whole
from resnext.untrusted.names import list_names, shown

_VAL_NAME = re.compile(r"ILSVRC2012_val_([0-9]{8})\.jpe?g", re.IGNORECASE)


@dataclass(frozen=True)
class ArchiveChecksum:
    """An archive's MD5 sum and the published one."""

    archive: Path
    found: str
    published: str

    @property
    def agrees(self) -> bool:
        """Whether the archive is the official one."""
        return self.found == self.published


def compare_checksum(
    part: str, archive: Path, progress: Callable[[int, int | None], None] | None = None
) -> ArchiveChecksum:
    """Compute the MD5 sum of an archive.

    Args:
        part: `train`, `val` or `devkit`.
        archive: The file.
        progress: Called with the bytes read and the total.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        return ArchiveChecksum(archive, md5_of(archive, progress), ARCHIVES[part].md5)
    except OSError as error:
        raise DataError(f"cannot read {archive}: {error.strerror}") from error


def unpack_train(
    archive: Path, train: Path, layout: ImageNetLayout, progress: Progress = None
) -> int:
    """Unpack the training archive, which contains one archive per class.

    Args:
        archive: ILSVRC2012_img_train.tar.
        train: The folder that gets the class folders.
        layout: The classes.
        progress: Called for each image, written or already complete.

    Returns:
        Number of images in the archive.

    Raises:
        DataError: The archive is hostile, damaged or has other classes.
    """
    found: set[str] = set()
    num = 0
    with open_tar(archive) as outer:
        for member in outer:
            refuse_hostile(member, str(archive))
            if member.isdir():
                continue
            name = PurePosixPath(member.name).name
            synset = name.removesuffix(".tar")
            if not name.endswith(".tar") or synset not in layout.synsets or synset in found:
                raise DataError(
                    f"{archive}: {shown(member.name)} is not the archive of one of the classes, "
                    f"such as {layout.synsets[0]}.tar; give {ARCHIVES['train'].name}"
                )
            inner = outer.extractfile(member)
            with open_tar(archive / name, inner) as tar:
                num += unpack_class(tar, f"{archive}: {name}", train / synset, progress)
            found.add(synset)
    if missing := sorted(set(layout.synsets) - found):
        raise DataError(
            f"{archive}: is incomplete: {list_names(missing, 10)} missing; download it again"
        )
    return num


def sort_val(
    root: Path,
    archive: Path | None,
    val_synsets: tuple[str, ...],
    progress: Progress = None,
) -> int:
    """Sort the validation images into class folders.

    Images that lie flat in `val/` are moved. Those of an archive gather in a hidden folder
    that becomes `val/` when it is complete, unless there is a `val/` already.

    Args:
        root: The folder of the set.
        archive: ILSVRC2012_img_val.tar, if the images are not there yet.
        val_synsets: The class of image 1, 2, ...
        progress: Called for each image.

    Returns:
        Number of images moved, or in the archive.

    Raises:
        DataError: An image's name has no official number, or the archive is hostile or damaged.
    """
    val = root / "val"
    num = _sort_flat(val, val_synsets, progress) if val.is_dir() else 0
    if archive is None:
        return num
    dest = val if val.exists() else hidden(val)
    for synset in set(val_synsets):
        (dest / synset).mkdir(parents=True, exist_ok=True)
    seen = 0
    with open_tar(archive) as tar:
        for member, name in images_in(tar, str(archive)):
            write_member(tar, member, dest / _class_of(name, val_synsets) / name)
            seen += 1
            if progress is not None:
                progress(1)
    if seen != len(val_synsets):
        raise DataError(
            f"{archive}: {seen:,} images instead of {len(val_synsets):,}; download the archive "
            "again"
        )
    if dest != val:
        dest.rename(val)
    return num + seen


def write_classes(root: Path, layout: ImageNetLayout) -> Path:
    """Write `classes.tsv` with a synset and its words per line, in output order."""
    path = root / "classes.tsv"
    write_whole(path, "".join(f"{name}\t{readable(name)}\n" for name in layout.synsets))
    return path


def _sort_flat(val: Path, val_synsets: tuple[str, ...], progress: Progress) -> int:
    """Move images directly in `val/` to their classes; each move is atomic."""
    with os.scandir(val) as entries:
        names = sorted(entry.name for entry in entries if is_image_name(entry.name))
    homes = [_class_of(name, val_synsets) for name in names]  # all are known before one moves
    for name, synset in zip(names, homes, strict=True):
        (val / synset).mkdir(exist_ok=True)
        (val / name).replace(val / synset / name)
        if progress is not None:
            progress(1)
    return len(names)


def _class_of(name: str, val_synsets: tuple[str, ...]) -> str:
    found = _VAL_NAME.fullmatch(name)
    number = int(found.group(1)) if found else 0
    if not 1 <= number <= len(val_synsets):
        raise DataError(
            f"{name}: not the name of a validation image; official names are "
            f"ILSVRC2012_val_00000001.JPEG to _{len(val_synsets):08}.JPEG"
        )
    synset = val_synsets[number - 1]
    assert is_synset(synset)
    return synset
