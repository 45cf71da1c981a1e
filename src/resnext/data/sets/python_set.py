"""A data set made of what a Python program holds: torch's datasets, lists of pairs, a loader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
)

from resnext.data.config import TargetKind
from resnext.data.decode.python_image import has_colour, to_photo
from resnext.data.python_split import MapDataset, PythonSplit, item_of, label_of
from resnext.data.sets.auto_split import choose_val
from resnext.data.sets.photo_info import MEAN, STD
from resnext.data.split import DataInfo, DataSet
from resnext.data.targets import strata
from resnext.errors import ConfigError, DataError

_NUM_LOOKED_AT = 16
_MAX_UNNAMED = 1_000


@dataclass(frozen=True)
class Opened:
    """A dataset, and what a loader around it said.

    Attributes:
        dataset: The items.
        batch_size: Of the loader, if there was one.
        workers: Likewise.
    """

    dataset: MapDataset
    batch_size: int | None = None
    workers: int | None = None


def open_python_data(given: object) -> Opened:
    """Find the dataset in what was given.

    Args:
        given: A map-style dataset, a sequence of pairs, or a loader that shuffles or does not.

    Raises:
        ConfigError: It has no items by number; or a loader draws or joins them in its own way.
    """
    if isinstance(given, DataLoader):
        _check_loader(given)
        inside = open_python_data(given.dataset)
        return replace(inside, batch_size=given.batch_size, workers=given.num_workers)
    has_items = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    is_by_key = isinstance(given, Mapping) or type(given).__name__ == "DataFrame"
    if isinstance(given, IterableDataset) or is_by_key or not has_items:
        raise ConfigError(
            f"data of type {type(given).__name__}: give a path, the name of a set, a map-style "
            "dataset (with __len__ and __getitem__) or a list of pairs of an image and a label; "
            "a stream cannot be resumed exactly"
        )
    return Opened(cast("MapDataset", given))


def python_data(
    train: MapDataset,
    val: MapDataset | None,
    classes: Sequence[str] | None,
    val_fraction: float,
) -> DataSet:
    """Make a data set of one or two datasets.

    Args:
        train: Images to train on.
        val: Images to validate on; None keeps a share of the others, the same each time.
        classes: Names of the classes; by default `train.classes`, or their numbers.
        val_fraction: That share of each class.

    Raises:
        ConfigError: An item is no pair of an image and a label, or the classes do not fit.
        DataError: There are no items, or one class.
    """
    labels = [labels_of(one) for one in (train, val) if one is not None]
    info = _info(train, classes, labels)
    _refuse_one_class(info)
    whole = _split(train, labels[0])
    if val is not None:
        return DataSet(info, whole, _split(val, labels[1]), origin="given as two datasets")
    names = [whole.name(row) for row in range(len(whole))]
    groups_n = strata(whole.targets_n)
    num_groups = max(len(info.classes), int(groups_n.max(initial=0)) + 1)
    in_val = torch.from_numpy(choose_val(names, groups_n, num_groups, val_fraction))
    kept, held_out = (whole.choose(mask.nonzero().flatten()) for mask in (~in_val, in_val))
    if not len(held_out):
        raise DataError(
            f"the dataset has {len(whole)} items, too few to keep some for validation; give val=, "
            "a dataset to validate on"
        )
    origin = f"{val_fraction:.0%} of each class for val, by the numbers of the items"
    return DataSet(info, kept, held_out, origin=origin)


def python_images(
    dataset: MapDataset, classes: Sequence[str] | None, default_classes: Sequence[str]
) -> DataSet:
    """Make a data set to evaluate on: all items are for validation.

    Args:
        dataset: The images.
        classes: Names of the classes; by default `dataset.classes`.
        default_classes: Those of the network, where neither says it.

    Raises:
        ConfigError: As `python_data`.
        DataError: There are no items.
    """
    labels_n = labels_of(dataset)
    if classes is None:
        classes = getattr(dataset, "classes", None) or default_classes
    whole = _split(dataset, labels_n)
    nothing = whole.choose(torch.empty(0, dtype=torch.int64))
    return DataSet(_info(dataset, classes, [labels_n]), nothing, whole, origin="given as a dataset")


def labels_of(dataset: MapDataset) -> torch.Tensor:
    """Return the labels of a dataset: as it lists them, else item by item, which reads all images.

    The usual ways of torch and torchvision to list them are known: `targets`, `TensorDataset`,
    `Subset` and `ConcatDataset`. An item whose label turns out to be another is an error later.

    Raises:
        ConfigError: A label is no number of a class, and no row of 0 and 1.
        DataError: There are no items.
    """
    if not len(dataset):
        raise DataError("the dataset has no items")
    found = _listed(dataset)
    if found is None:
        with torch.random.fork_rng(devices=[]):  # it may vary its images
            found = [item_of(dataset, row)[1] for row in range(len(dataset))]
    labels = [label_of(label, row) for row, label in enumerate(found)]
    if len({tuple(label.shape) for label in labels}) > 1:
        raise ConfigError("the dataset has labels of several forms; give all of the same length")
    return torch.stack(labels)


def _listed(dataset: Any) -> list[Any] | None:
    """Return the labels that a dataset lists, or None."""
    if isinstance(dataset, Subset):
        whole = _listed(dataset.dataset)
        return None if whole is None else [whole[index] for index in dataset.indices]
    if isinstance(dataset, ConcatDataset):
        parts = [_listed(part) for part in dataset.datasets]
        return None if None in parts else [label for part in parts for label in part or ()]
    if isinstance(dataset, TensorDataset) and len(dataset.tensors) == 2:
        return list(dataset.tensors[1])
    targets = getattr(dataset, "targets", None)
    if not isinstance(targets, list | tuple | torch.Tensor) or len(targets) != len(dataset):
        return None
    is_changed = getattr(dataset, "target_transform", None) is not None
    return None if is_changed else list(targets)


def _split(dataset: MapDataset, labels_n: torch.Tensor) -> PythonSplit:
    return PythonSplit(dataset, labels_n, labels_n, torch.arange(len(labels_n)))


def _info(
    dataset: MapDataset, classes: Sequence[str] | None, labels: Sequence[torch.Tensor]
) -> DataInfo:
    """Find the classes, and look at some images for their channels and size."""
    is_single = labels[0].ndim == 1
    if any(found.shape[1:] != labels[0].shape[1:] for found in labels):
        raise ConfigError("the dataset and val= have labels of different forms")
    given = classes if classes is not None else getattr(dataset, "classes", None)
    num = 1 + max(int(found.max()) for found in labels) if is_single else labels[0].shape[1]
    num_items = sum(len(found) for found in labels)
    if given is None and num > max(_MAX_UNNAMED, num_items):
        raise ConfigError(
            f"the labels go up to {num - 1:,}, but there are {num_items:,} items; number the "
            "classes from 0 on, or name them: classes="
        )
    names = tuple(map(str, range(num))) if given is None else tuple(map(str, given))
    if len(set(names)) != len(names):
        raise ConfigError(f"classes={list(names[:20])!r}: name each class once")
    lowest = min(int(found.min()) for found in labels)
    if is_single and not 0 <= lowest <= num - 1 < len(names):
        raise ConfigError(
            f"the labels go from {lowest} to {num - 1}, and there are {len(names)} classes; "
            "number them from 0 on, in the order of classes="
        )
    if not is_single and num != len(names):
        raise ConfigError(f"each item has {num} labels, and there are {len(names)} classes")
    in_channels, side_px = _look(dataset)
    mean, std = (MEAN, STD) if in_channels == 3 else (_grey(MEAN), _grey(STD))
    targets: TargetKind = "class" if is_single else "labels"
    return DataInfo("the dataset", names, in_channels, side_px, mean, std, targets)


def _grey(values: Iterable[float]) -> tuple[float]:
    known = tuple(values)
    return (round(sum(known) / len(known), 4),)


def _look(dataset: MapDataset) -> tuple[int, int]:
    """Return the channels and the median of the shorter sides of some images.

    Raises:
        ConfigError: One is no image.
        DataError: A file is bad.
    """
    num = min(_NUM_LOOKED_AT, len(dataset))
    rows = sorted({index * len(dataset) // num for index in range(num)})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        images = [item_of(dataset, row)[0] for row in rows]
    sides = sorted(min(to_photo(image, 3).size) for image in images)
    return 3 if any(map(has_colour, images)) else 1, sides[len(sides) // 2]


def _refuse_one_class(info: DataInfo) -> None:
    if info.targets == "class" and len(info.classes) < 2:
        raise DataError(
            f"the dataset has one class, {info.classes[0]!r}, so there is nothing to tell apart"
        )


def _check_loader(loader: DataLoader[Any]) -> None:
    """Refuse a loader that does more than to shuffle a dataset and to stack its items.

    Order, augmentation and resume are exact because each image is asked for by its number; see
    docs/decisions/0024-python.md.
    """
    reasons = {
        "it streams": isinstance(loader.dataset, IterableDataset),
        "it makes no batches": loader.batch_size is None,
        "it has a sampler of its own": type(loader.batch_sampler) is not BatchSampler
        or not _is_plain(loader.sampler),
        "it has a collate_fn of its own": loader.collate_fn is not default_collate,
    }
    found = [reason for reason, is_true in reasons.items() if is_true]
    if found:
        raise ConfigError(
            f"this DataLoader cannot be trained on: {' and '.join(found)}, which would be lost. "
            "Pass its dataset, with batch_size= and workers=; balance=True weighs rare classes"
        )


def _is_plain(sampler: object) -> bool:
    if isinstance(sampler, RandomSampler):
        return not sampler.replacement and len(sampler) == len(sampler.data_source)
    return type(sampler) is SequentialSampler
