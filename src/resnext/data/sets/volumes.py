"""Volumes in MedMNIST's `.npz` format; its sets of images become an ordinary set in memory.

Arrays `train_images`, `val_images` and `test_images`, n x d x h x w or with channels behind, and
`train_labels` ... of n x 1 classes or n x k labels of 0 and 1.

Source: J. Yang et al., "MedMNIST v2", arXiv 2110.14795.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from resnext.data.array_split import ArraySplit
from resnext.data.config import DataConfig, TargetKind
from resnext.data.sets.npz import NpzFile
from resnext.data.signals.prepare import channel_statistics
from resnext.data.signals.split import SignalSplit, as_float
from resnext.data.split import DataInfo, DataSet, Split
from resnext.errors import ConfigError, DataError
from resnext.model.signal import SignalInput
from resnext.untrusted.names import list_names, shown

MAX_VOXELS = 2**31
"""Values of one split: bytes are held as bytes."""

_SPLITS = ("train", "val", "test")
_MAX_CHANNELS = 4
_MAX_CLASSES = 10_000
_ACCEPTED = (
    "train_images and train_labels, and the same for val, test or both; images are n x d x h x w "
    "(volumes) or n x h x w (pictures), with the channels behind if there are several"
)


def load_volumes(path: Path, config: DataConfig) -> DataSet:
    """Read a file of MedMNIST.

    Args:
        path: The file.
        config: Its name for people.

    Raises:
        DataError: It is not what is accepted, or the volumes are not cubes.
        ConfigError: Another size is asked for than the volumes have.
    """
    file = NpzFile(path)
    names = [split for split in _SPLITS if f"{split}_images" in file.shapes]
    if "train" not in names or len(names) < 2:
        raise DataError(
            f"{path} has the arrays {list_names(list(file.shapes), 20, shown)}; accepted are "
            f"{_ACCEPTED}"
        )
    shapes = {file.shapes[f"{split}_images"][1:] for split in names}
    if len(shapes) > 1:
        raise DataError(f"{path}: the splits have images of {sorted(shapes)}; all must be the same")
    sides, channels = _read_shape(path, shapes.pop())
    if config.image_size_px not in (None, sides[0]):
        raise ConfigError(
            f"image_size_px={config.image_size_px}: {path.name} has sides of {sides[0]}, which are "
            "not changed; leave it out, or take the file of the other size"
        )
    values = {split: _read_values(file, path, split, sides, channels) for split in names}
    targets = {split: file.array(f"{split}_labels", MAX_VOXELS) for split in names}
    kind, classes = _classes(path, targets)
    found = {
        split: _targets(path, split, targets[split], kind, len(values[split])) for split in names
    }
    if len(sides) == 2:
        return _images(config, classes, kind, values, found, sides[0])
    return _volumes(path, config, classes, kind, values, found, sides[0])


def _read_shape(path: Path, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return the sides of one image and its channels."""
    channels = 1
    is_cube = len(shape) == 3 and len(set(shape)) == 1
    if len(shape) > 2 and shape[-1] <= _MAX_CHANNELS and not is_cube:
        *sides_list, channels = shape
        shape = tuple(sides_list)
    if len(shape) not in (2, 3) or len(set(shape)) > 1 or shape[0] < 1 or channels < 1:
        raise DataError(
            f"{path}: images of {' x '.join(map(str, shape))} with {channels} channel(s); accepted "
            f"are {_ACCEPTED}, and all sides of an image are the same"
        )
    return shape, channels


def _read_values(
    file: NpzFile, path: Path, split: str, sides: tuple[int, ...], channels: int
) -> torch.Tensor:
    """Return n x sides x c: uint8 as it is, other numbers as float32."""
    name = f"{split}_images"
    values_nx = as_volumes(file.array(name, MAX_VOXELS), path, name)
    return values_nx.reshape(len(values_nx), *sides, channels)


def as_volumes(array: npt.NDArray[Any], path: Path, name: str) -> torch.Tensor:
    """Return n volumes of numbers, with their channels behind.

    Args:
        array: n x d x h x w, or with channels behind; pictures alike.
        path: The file, for messages.
        name: Of the array.

    Returns:
        uint8 as it is, other numbers as float32.

    Raises:
        DataError: They are no numbers, or not finite.
    """
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise DataError(f"{path}, array {name}: of type {array.dtype}; accepted are numbers")
    if array.dtype == np.bool_:
        array = array.astype(np.float32)
    if array.dtype != np.uint8:
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise DataError(f"{path}, array {name}: values that are not finite")
    has_channels = array.ndim > 4 and array.shape[-1] <= _MAX_CHANNELS
    return torch.from_numpy(array if has_channels else array[..., np.newaxis])


def _classes(
    path: Path, targets: dict[str, npt.NDArray[np.generic]]
) -> tuple[TargetKind, tuple[str, ...]]:
    """Tell classes, one for each image, from several labels of 0 and 1."""
    for split, array in targets.items():
        if array.dtype.kind not in "biu" or array.ndim > 2 or not array.size:
            raise DataError(
                f"{path}, array {split}_labels: {array.dtype} of shape {array.shape}; accepted are "
                "whole numbers, n x 1 classes or n x k labels of 0 and 1"
            )
    widths = {array.shape[1] if array.ndim > 1 else 1 for array in targets.values()}
    if len(widths) > 1:
        raise DataError(f"{path}: the splits have {sorted(widths)} labels; all must be the same")
    width = widths.pop()
    if width > 1:
        return "labels", tuple(str(label) for label in range(width))
    largest = max(int(array.max()) for array in targets.values())
    least = min(int(array.min()) for array in targets.values())
    if least < 0 or not 1 <= largest < _MAX_CLASSES:
        raise DataError(
            f"{path}: classes {least} to {largest}; accepted are numbers from 0, at least two "
            f"classes and at most {_MAX_CLASSES:,}"
        )
    return "class", tuple(str(label) for label in range(largest + 1))


def _targets(
    path: Path, split: str, array: npt.NDArray[np.generic], kind: TargetKind, num: int
) -> torch.Tensor:
    if len(array) != num:
        raise DataError(f"{path}: {num:,} {split}_images and {len(array):,} {split}_labels")
    if kind == "class":
        return torch.from_numpy(array.reshape(-1).astype(np.int64))
    if array.min() < 0 or array.max() > 1:
        raise DataError(f"{path}, array {split}_labels: several labels must be 0 or 1")
    return torch.from_numpy(array.astype(np.int8))


def _volumes(
    path: Path,
    config: DataConfig,
    classes: tuple[str, ...],
    kind: TargetKind,
    values: dict[str, torch.Tensor],
    targets: dict[str, torch.Tensor],
    side: int,
) -> DataSet:
    splits = {
        split: SignalSplit(
            values_nx.movedim(-1, 1).contiguous(),
            targets[split],
            torch.arange(len(values_nx)),
            f"{path.name}/{split}",
        )
        for split, values_nx in values.items()
    }
    mean, std = _statistics(splits["train"])
    signal = SignalInput(kind="volume", size=side, mean=mean, std=std)
    info = DataInfo.of_signals(config.label, classes, signal, kind)
    val = splits["val"] if "val" in splits else splits["test"]
    return DataSet(info, splits["train"], val, splits.get("test") if "val" in splits else None)


def _images(
    config: DataConfig,
    classes: tuple[str, ...],
    kind: TargetKind,
    values: dict[str, torch.Tensor],
    targets: dict[str, torch.Tensor],
    side: int,
) -> DataSet:
    """Return pictures as the set of images that they are."""
    if any(one.dtype != torch.uint8 or one.shape[-1] not in (1, 3) for one in values.values()):
        raise DataError(f"{config.label}: pictures must be uint8 with 1 or 3 channels")
    splits: dict[str, Split] = {
        split: ArraySplit(values_nhwc, targets[split]) for split, values_nhwc in values.items()
    }
    mean, std = channel_statistics(as_float(values["train"]).movedim(-1, 1).numpy())
    info = DataInfo(
        name=config.label,
        classes=classes,
        in_channels=values["train"].shape[-1],
        image_size_px=side,
        mean=mean,
        std=std,
        targets=kind,
    )
    val = splits["val"] if "val" in splits else splits["test"]
    return DataSet(info, splits["train"], val, splits.get("test") if "val" in splits else None)


def _statistics(split: SignalSplit) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and deviation of each channel, of at most some thousand volumes."""
    most = max(1, 2**27 // split.values_ncx[0].numel())
    return channel_statistics(as_float(split.values_ncx[:most]).numpy())
