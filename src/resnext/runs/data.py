"""Checks that a run is resumed on the data it was started with.

Order, steps and labels depend on the training images and their classes, so a run cannot be resumed
on other data. `classes.json` stores the number of training images of each class, in label order.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from resnext.data.split import DataSet
from resnext.data.targets import count_per_class
from resnext.errors import DataError, RunError
from resnext.runs.folder import write_json
from resnext.untrusted.names import list_names
from resnext.untrusted.parse import read_json

CLASSES = "classes.json"

_list_names = partial(list_names, write=repr)


def write_data(run: Path, data: DataSet) -> None:
    """Record the data of a new run."""
    write_json(run / CLASSES, _images_per_class(data))


def check_data(run: Path, data: DataSet) -> None:
    """Compare the data with those a run was started with; runs without a record are accepted.

    Raises:
        DataError: The classes or the numbers of their training images have changed.
        RunError: The run's own file is damaged.
    """
    if change := describe_change(run, data):
        raise DataError(
            f"{change}. A run can only be resumed on the data it was started with; restore the "
            f"data, or start a new run: resnext train --config {run}"
        )


def describe_change(run: Path, data: DataSet) -> str:
    """Describe how the data differ from those of a run; empty if they do not.

    Raises:
        RunError: The run's own file is damaged.
    """
    if not (run / CLASSES).exists():
        return ""
    begun, now = _read(run / CLASSES), _images_per_class(data)
    if list(begun.items()) == list(now.items()):
        return ""
    return (
        f"{run} was started with {_describe_counts(begun)}, but {data.info.name} now has "
        f"{_describe_counts(now)}: {_difference(begun, now)}"
    )


def _images_per_class(data: DataSet) -> dict[str, int]:
    counts_k = count_per_class(data.train.targets_n, len(data.info.classes))
    return dict(zip(data.info.classes, counts_k, strict=True))


def _read(file: Path) -> dict[str, int]:
    try:
        values = read_json(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"cannot read {file}: {reason}; restore it, or start a new run") from None
    if not isinstance(values, dict) or not all(type(num) is int for num in values.values()):
        raise RunError(f"{file} does not contain the classes of a run; restore it, or remove it")
    return values


def _describe_counts(images: dict[str, int]) -> str:
    return f"{sum(images.values()):,} training images of {len(images):,} classes"


def _difference(begun: dict[str, int], now: dict[str, int]) -> str:
    """Describe what changed: classes first, then their images."""
    new = [name for name in now if name not in begun]
    gone = [name for name in begun if name not in now]
    if new or gone:
        parts = (("new", new), ("gone", gone))
        return "; ".join(f"{what}: {_list_names(names)}" for what, names in parts if names)
    other = [name for name in now if now[name] != begun[name]]
    return (
        f"different numbers in {_list_names(other)}"
        if other
        else "the order of the classes changed"
    )
