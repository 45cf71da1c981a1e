"""Builds the training tree of ImageNet-5K: links to folders, files from archives.

`train/` gets every class of the list, `val/` those of ImageNet-1K.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from resnext.data.sets.folders import CLASS_LIST
from resnext.data.sets.imagenet.archives import open_tar, unpack_class
from resnext.data.sets.imagenet.class_file import ClassRow, parse_text
from resnext.data.sets.imagenet.scan import Progress, count_images
from resnext.errors import DataError
from resnext.files import write_whole
from resnext.untrusted.names import list_names


def keep_list(out: Path, text: str) -> tuple[ClassRow, ...]:
    """Store the class list in the tree's folder, and return its classes.

    Raises:
        DataError: The text is not a class list, or the folder was started with another one.
    """
    dest = out / CLASS_LIST
    rows = parse_text(text, dest)
    if dest.exists() and dest.read_text(encoding="utf-8") != text:
        raise DataError(
            f"{dest} differs from the selected or given class list; build in a new folder, or "
            f"give --classes {dest} to continue with that list"
        )
    write_whole(dest, text)
    return rows


def build_tree(
    rows: Sequence[ClassRow],
    synsets: Mapping[str, Path],
    imagenet: Path,
    out: Path,
    progress: Progress = None,
) -> None:
    """Create `out/train` and `out/val`, or resume after an interruption.

    Args:
        rows: The classes.
        synsets: Archive or folder of each synset of the full set.
        imagenet: ImageNet-1K, with `train/` and `val/`.
        out: The tree's folder.
        progress: Called with the images of each class.

    Raises:
        DataError: A class is missing or its number of images differs from the list, or its path is
            taken.
    """
    sources = _find_sources(rows, synsets, imagenet)
    for part in ("train", "val"):
        (out / part).mkdir(parents=True, exist_ok=True)
        _refuse_strangers(out / part, rows, part)
    for row, source in zip(rows, sources, strict=True):
        dest = out / "train" / row.synset
        if source.is_dir():
            _link(dest, source)
            num = count_images(source)
        else:
            with open_tar(source) as tar:
                num = unpack_class(tar, str(source), dest, None)
        if num != row.num_images:
            raise DataError(
                f"{source} contains {num:,} images, but the class list has {row.num_images:,}; "
                "the list is from another release, or images are missing"
            )
        if row.source == "imagenet1k":
            _link(out / "val" / row.synset, imagenet / "val" / row.synset)
        if progress is not None:
            progress(num)


def _find_sources(
    rows: Sequence[ClassRow], synsets: Mapping[str, Path], imagenet: Path
) -> list[Path]:
    """Find the images of each class, before creating anything."""
    own = {row.synset: imagenet / "train" / row.synset for row in rows if row.source != "full"}
    found = {**synsets, **own}
    missing = [row.synset for row in rows if row.synset not in found]
    missing += [
        f"{part}/{synset}"
        for synset in own
        for part in ("train", "val")
        if not (imagenet / part / synset).is_dir()
    ]
    if missing:
        raise DataError(
            f"no images of {list_names(missing, 10)} in the full set or {imagenet}; download "
            f"them, or see `resnext data imagenet --check {imagenet}`"
        )
    return [found[row.synset] for row in rows]


def _refuse_strangers(folder: Path, rows: Sequence[ClassRow], part: str) -> None:
    """Refuse classes that are not in the list, which would become outputs."""
    wanted = {row.synset for row in rows if part == "train" or row.source == "imagenet1k"}
    strangers = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.name not in wanted and not entry.name.startswith(".")
    )
    if strangers:
        raise DataError(
            f"{folder} contains {list_names(strangers, 10)}, which are not in the class list; "
            "give an empty or new --out"
        )


def _link(dest: Path, source: Path) -> None:
    target = source.resolve()
    if dest.is_symlink() and dest.readlink() == target:
        return
    if dest.exists() or dest.is_symlink():
        raise DataError(f"{dest} exists but does not link to {target}; remove it")
    dest.symlink_to(target, target_is_directory=True)
