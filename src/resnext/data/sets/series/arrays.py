"""Series in an `.npz` file: `X` and `y`, or one pair for each split."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resnext.data.sets.npz import NpzFile
from resnext.data.sets.series.raw import (
    RawSeries,
    check_finite,
    check_shape,
    class_name,
    sort_classes,
)
from resnext.errors import DataError
from resnext.model.signal import MAX_SIGNAL_VALUES
from resnext.untrusted.names import list_names, shown

_ACCEPTED = (
    "X (n x steps, or n x channels x steps) with y (n classes), or the same as X_train, y_train, "
    "X_val, y_val, X_test and y_test"
)


def read_series_arrays(path: Path) -> dict[str, RawSeries]:
    """Read an `.npz` file.

    Returns:
        By split: train, val, test; or `all` where the file does not say one.

    Raises:
        DataError: The file or its arrays are not what is accepted; the message says what is.
    """
    file = NpzFile(path)
    names = {name.lower(): name for name in file.shapes}
    if "x" in names:
        return {"all": _read_pair(file, path, names["x"], names.get("y"))}
    splits = {
        split: _read_pair(file, path, names[f"x_{split}"], names.get(f"y_{split}"))
        for split in ("train", "val", "test")
        if f"x_{split}" in names
    }
    if "train" not in splits:
        hint = "; for MedMNIST's files give volume:FILE" if "train_images" in names else ""
        raise DataError(
            f"{path} has the arrays {list_names(list(file.shapes), 20, shown)}; accepted are "
            f"{_ACCEPTED}{hint}"
        )
    classes = sort_classes({name for raw in splits.values() for name in raw.labels})
    return {
        split: RawSeries(raw.series, raw.labels, classes, raw.lines)
        for split, raw in splits.items()
    }


def _read_pair(file: NpzFile, path: Path, values: str, targets: str | None) -> RawSeries:
    shape = file.shapes[values]
    where = f"{path}, array {shown(values)}"
    if len(shape) not in (2, 3) or not shape[0]:
        raise DataError(f"{where}: of shape {shape}; accepted is {_ACCEPTED}")
    check_shape((1, shape[1]) if len(shape) == 2 else (shape[1], shape[2]), where)
    array = file.array(values, MAX_SIGNAL_VALUES)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{where}: of type {array.dtype}; accepted are numbers")
    with np.errstate(over="ignore"):
        values_nct = array.astype(np.float32).reshape(len(array), -1, array.shape[-1])
    check_finite(values_nct, where)
    labels = [] if targets is None else _read_labels(file, path, targets, len(array))
    places = [f"series {number}" for number in range(len(array))]
    return RawSeries(list(values_nct), labels, sort_classes(set(labels)), places)


def _read_labels(file: NpzFile, path: Path, name: str, num: int) -> list[str]:
    array: npt.NDArray[np.generic] = file.array(name, num * 2)
    if array.size != num:
        raise DataError(
            f"{path}, array {shown(name)}: {array.size:,} classes for {num:,} series; give one each"
        )
    if array.dtype.kind == "S":
        raise DataError(f"{path}, array {shown(name)}: bytes; give numbers or texts")
    cells = array.reshape(-1).tolist()
    return [
        "" if isinstance(one, float) and math.isnan(one) else class_name(str(one)) for one in cells
    ]
