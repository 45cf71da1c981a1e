"""Class folders of NIfTI files: `ROOT/train/CLASS/scan.nii.gz`, or `ROOT/CLASS/scan.nii.gz`."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.data.sets.class_folders import check_class_folders, name_classes
from resnext.data.sets.layout import find_layout
from resnext.data.sets.listing import FileKind, file_names, subfolders
from resnext.data.sets.nifti import NIFTI_SUFFIXES, is_nifti, read_nifti
from resnext.data.sets.signal_folders import settle_splits
from resnext.data.signals.prepare import channel_statistics
from resnext.data.signals.split import SignalSplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import DataError
from resnext.model.signal import SignalInput
from resnext.untrusted.names import list_names, shown

DEFAULT_SIDE = 64
_MAX_VALUES = 2**30
"""Of all splits together, as float32: four gibibytes."""

_MIN_CLASSES = 2


def _is_volume(entry: os.DirEntry[str]) -> bool:
    return is_nifti(entry.name) and not entry.name.startswith(".") and entry.is_file()


_VOLUMES = FileKind("volume", NIFTI_SUFFIXES, _is_volume)


def load_volume_folder(root: Path, config: DataConfig) -> DataSet:
    """Read class folders of NIfTI files into memory, each as a cube.

    Args:
        root: The folder.
        config: Side of the cubes, and the share kept for validation where there is no such split.

    Raises:
        ConfigError: nibabel is not installed.
        DataError: The folder does not consist of class folders, or a file cannot be read.
    """
    layout = find_layout(root)
    folders = {str(name): path for name, path in layout.splits.items()} or {"all": root}
    listed = {name: _list(folder) for name, folder in folders.items()}
    classes = tuple(sorted(listed.get("train") or next(iter(listed.values()))))
    if len(classes) < _MIN_CLASSES:
        raise DataError(
            f"{root}: {len(classes)} class folder(s) with files that end in "
            f"{list_names(NIFTI_SUFFIXES)}; at least two are needed"
        )
    if empty := [folders[name] for name, found in listed.items() if not found]:
        raise DataError(
            f"{empty[0]}: no files that end in {list_names(NIFTI_SUFFIXES)} in class folders; add "
            "some, or remove the folder"
        )
    side = config.image_size_px or DEFAULT_SIDE
    num = sum(len(names) for found in listed.values() for names in found.values())
    if num * side**3 > _MAX_VALUES:
        raise DataError(
            f"{root}: {num:,} cubes of side {side} do not fit; set a smaller data.image_size_px"
        )
    built = {name: _build(root, folders[name], one, classes, side) for name, one in listed.items()}
    splits, origin = settle_splits(root, built, len(classes), config)
    known = splits["train"] if len(splits["train"]) else splits["val"]
    mean, std = channel_statistics(known.values_ncx.numpy())
    signal = SignalInput(kind="volume", size=side, mean=mean, std=std)
    info = DataInfo.of_signals(config.label, classes, signal)
    test = splits.get("test")
    return DataSet(info, splits["train"], splits["val"], test, origin, layout.remarks)


def _list(root: Path) -> dict[str, list[Path]]:
    """Return the files of each class, sorted."""
    check_class_folders(root)
    folders = subfolders(root)
    classes, labels = name_classes(root, folders)
    found: dict[str, list[Path]] = {}
    for folder, label in zip(folders, labels, strict=True):
        place = root / folder
        if names := sorted(place / name for name in file_names(place, _VOLUMES)):
            found.setdefault(classes[label], []).extend(names)
    return found


def _build(
    root: Path, folder: Path, found: dict[str, list[Path]], classes: tuple[str, ...], side: int
) -> SignalSplit:
    if unknown := sorted(set(found) - set(classes)):
        raise DataError(
            f"{root}: {folder.name} has the class {shown(unknown[0])}, training has "
            f"{list_names(classes, 20, shown)}"
        )
    cubes: list[torch.Tensor] = []
    targets: list[int] = []
    for number, label in enumerate(classes):
        for path in found.get(label, ()):
            try:
                cube = read_nifti(path, side)
            except DataError as error:
                raise DataError(f"{path}: {error}") from None
            if cubes and len(cube) != len(cubes[0]):
                raise DataError(f"{path}: {len(cube)} channel(s), others have {len(cubes[0])}")
            cubes.append(cube)
            targets.append(number)
    return SignalSplit(
        torch.stack(cubes), torch.tensor(targets), torch.arange(len(cubes)), folder.name
    )
