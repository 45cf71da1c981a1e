"""Finds the images and masks of a folder, and pairs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from resnext.data.sets.layout import SplitName, split_of
from resnext.data.sets.listing import file_names, subfolders
from resnext.data.sets.notices import warn_once
from resnext.errors import DataError
from resnext.untrusted.names import list_names

_IMAGES = frozenset({"images", "image", "imgs", "img", "jpegimages"})
_PLAIN_MASKS = frozenset({"masks", "mask"})
_MASKS = _PLAIN_MASKS | {"annotations", "annotation", "segmentationclass", "labels", "label"}
_ENDINGS = ("_mask", "-mask", "_masks", "_label", "_labels", "_gt", "_L")
"""Common suffixes of mask names."""

_LAYOUTS = (
    "images/ and masks/ with files of the same names; or these two in train/, val/ and test/; or "
    "train/, val/ and test/ in each of the two"
)


@dataclass(frozen=True)
class MaskFolders:
    """The images and the masks of one split."""

    images: Path
    masks: Path


def has_masks(root: Path) -> bool:
    """Return whether a folder clearly contains images with masks, in any layout."""
    folders = [root, *(root / name for name in subfolders(root) if split_of(name) is not None)]
    return any(_find_pair(folder, _PLAIN_MASKS) is not None for folder in folders)


def find_mask_folders(root: Path) -> dict[SplitName | None, MaskFolders]:
    """Find the images and masks of each split, or of None without splits.

    Raises:
        DataError: There are none, or a split lacks its masks.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; give the folder that contains {_LAYOUTS}")
    pair = _find_pair(root, _MASKS)
    if pair is not None:
        return _splits_inside(pair) or {None: pair}
    found: dict[SplitName | None, MaskFolders] = {}
    others = []
    for name in subfolders(root):
        split, pair = split_of(name), _find_pair(root / name, _MASKS)
        if split is not None and pair is not None:
            _refuse_second(root, split, name, found)
            found[split] = pair
        elif pair is not None:
            others.append(name)
    if not found:
        raise DataError(f"{root} contains no images with masks; accepted are {_LAYOUTS}")
    if others:
        warn_once(f"{root}: left out folders with masks beside the splits: {list_names(others)}")
    return found


def _find_pair(folder: Path, mask_names: frozenset[str]) -> MaskFolders | None:
    names = subfolders(folder)
    images = [name for name in names if name.casefold() in _IMAGES]
    masks = [name for name in names if name.casefold() in mask_names]
    if not images or not masks:
        return None
    if len(images) > 1 or len(masks) > 1:
        raise DataError(
            f"{folder} contains {list_names([*images, *masks])}, so it is unclear which are the "
            "images and which the masks; keep one folder of each"
        )
    return MaskFolders(folder / images[0], folder / masks[0])


def _splits_inside(pair: MaskFolders) -> dict[SplitName | None, MaskFolders]:
    """Find train/, val/ and test/ in both folders."""
    of_masks = {split: name for name in subfolders(pair.masks) if (split := split_of(name))}
    found: dict[SplitName | None, MaskFolders] = {}
    for name in subfolders(pair.images):
        split = split_of(name)
        if split is None:
            continue
        if split not in of_masks:
            raise DataError(
                f"{pair.images / name} has no masks: {pair.masks} has no folder called {name}; add "
                "it, or move the images away"
            )
        _refuse_second(pair.images, split, name, found)
        found[split] = MaskFolders(pair.images / name, pair.masks / of_masks[split])
    used = {folders.images.name for folders in found.values()}
    if found and (others := [n for n in file_names(pair.images) if n.split("/")[0] not in used]):
        warn_once(
            f"{pair.images}: left out {len(others):,} images beside the folders of the splits: "
            f"{list_names(others)}; move them into one of these, with their masks"
        )
    return found


def _refuse_second(
    root: Path, split: SplitName, name: str, found: dict[SplitName | None, MaskFolders]
) -> None:
    if split in found:
        raise DataError(
            f"{root}: {name}/ is a second folder that looks like the {split} split; rename or "
            "remove one of them"
        )


def pair_files(root: Path, folders: MaskFolders) -> list[tuple[str, str]]:
    """Return each image with its mask, as paths below the root, sorted.

    Raises:
        DataError: There is no image, or one without a mask.
    """
    images, masks = file_names(folders.images), file_names(folders.masks)
    if not images:
        raise DataError(f"{folders.images} contains no image; add some, each with a mask")
    by_stem = {_stem(name): name for name in masks}
    found, missing, used = [], [], set[str]()
    for name in images:
        stem = _stem(name)
        mask = next((by_stem[stem + end] for end in ("", *_ENDINGS) if stem + end in by_stem), None)
        if mask is None:
            missing.append(name)
        else:
            used.add(mask)
            found.append((name, mask))
    if missing:
        raise DataError(
            f"{len(missing):,} of {len(images):,} images of {folders.images} have no mask: "
            f"{list_names(missing)}; {folders.masks} needs a PNG of the same name for each, such "
            f"as {_stem(missing[0])}.png, or remove the images"
        )
    if spare := sorted(set(masks) - used):
        warn_once(f"{folders.masks}: left out masks without an image: {list_names(spare)}")
    image_prefix, mask_prefix = (
        folder.relative_to(root).as_posix() for folder in (folders.images, folders.masks)
    )
    return [(f"{image_prefix}/{image}", f"{mask_prefix}/{mask}") for image, mask in found]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix else name
