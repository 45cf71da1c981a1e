"""A folder of images with masks as a data set with splits."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.decode.image import Photo, read_file
from resnext.data.mask_rule import MaskRule
from resnext.data.mask_split import MaskSplit, read_mask
from resnext.data.names import PackedNames
from resnext.data.sets.choose_split import splits_of
from resnext.data.sets.layout import SplitName
from resnext.data.sets.masks.class_list import find_class_list
from resnext.data.sets.masks.layout import find_mask_folders, pair_files
from resnext.data.sets.masks.remarks import check_splits, find_remarks
from resnext.data.sets.masks.rule import check_values, find_rule
from resnext.data.sets.own_splits import with_val
from resnext.data.sets.photo_info import photo_info
from resnext.data.split import DataSet
from resnext.errors import DataError
from resnext.machine import num_cores

_MAX_THREADS = 16


@dataclass(frozen=True)
class _Scan:
    """Sizes and values of an image and its mask.

    Attributes:
        size: Height and width.
        counts_v: Pixels of each of the 256 values.
    """

    size: tuple[int, int]
    counts_v: npt.NDArray[np.int64]


def load_masks(
    root: Path,
    val_fraction: float,
    *,
    ignore_value: int | None = None,
    group: str | None = None,
) -> DataSet:
    """List a folder of images with masks, and check every mask.

    Args:
        root: The folder.
        val_fraction: Fraction of the training images for validation if there are no validation
            images; with 1, and no train/, all are.
        ignore_value: The value of pixels without a class; by default 255, unless it is a class.
        group: As for `load_folder`.

    Raises:
        DataError: A mask is missing, bad, has another size than its image, or a value that is not a
            class; the layout is wrong; or there are fewer than two classes.
    """
    folders = find_mask_folders(root)
    try:
        pairs = {split: pair_files(root, folder) for split, folder in folders.items()}
    except OSError as error:
        raise DataError(
            f"{error.filename or root}: {error.strerror}; make it readable, or remove it"
        ) from None
    every = [pair for of_split in pairs.values() for pair in of_split]
    scans = _scan_all(root, every)
    counts_nv = np.stack([scan.counts_v for scan in scans])
    class_list = find_class_list(root)
    found = frozenset(np.flatnonzero(counts_nv.sum(axis=0)).tolist())
    rule = find_rule(root, found, class_list, ignore_value)
    check_values(rule, class_list, [root / mask for _, mask in every], counts_nv)
    splits: dict[SplitName | None, MaskSplit] = {}
    start = 0
    for split, of_split in pairs.items():
        end = start + len(of_split)
        splits[split] = _make_split(root, of_split, scans[start:end], rule)
        start = end
    info = replace(photo_info(root.name or "masks", rule.classes), targets="mask")
    data = with_val(root, info, splits, val_fraction, group)
    check_splits(root, splits_of(data))
    return replace(data, remarks=find_remarks(rule, counts_nv.sum(axis=0)))


def _make_split(
    root: Path, pairs: Sequence[tuple[str, str]], scans: Sequence[_Scan], rule: MaskRule
) -> MaskSplit:
    counts_nk = np.stack([scan.counts_v[list(rule.values)] for scan in scans])
    return MaskSplit(
        root=root,
        names=PackedNames(image for image, _ in pairs),
        targets_n=torch.from_numpy(counts_nk),
        masks=PackedNames(mask for _, mask in pairs),
        sizes_n2=torch.tensor([scan.size for scan in scans]),
        rule=rule,
    )


def _scan_all(root: Path, pairs: Sequence[tuple[str, str]]) -> list[_Scan]:
    with ThreadPoolExecutor(min(num_cores(), _MAX_THREADS), "masks") as pool:
        return list(pool.map(partial(_scan, root), pairs))


def _scan(root: Path, pair: tuple[str, str]) -> _Scan:
    """Read an image's header and its mask.

    Raises:
        DataError: One of them is bad, or their sizes differ.
    """
    image, mask = (root / name for name in pair)
    try:
        path = image
        width, height = Photo(read_file(image)).size
        path = mask
        values_hw = read_mask(mask)
    except DataError as error:
        raise DataError(f"{path}: {error}; repair it, or remove image and mask") from None
    if values_hw.shape != (height, width):
        raise DataError(
            f"{mask} has {values_hw.shape[1]} x {values_hw.shape[0]} pixels, but its image "
            f"{image.name} has {width} x {height}; create the mask again at the size of the image"
        )
    return _Scan((height, width), np.bincount(values_hw.ravel(), minlength=256))
