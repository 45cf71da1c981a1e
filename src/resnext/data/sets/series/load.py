"""A data set of time series, from the file that was named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from resnext.data.config import DataConfig
from resnext.data.sets.auto_split import choose_val
from resnext.data.sets.notices import warn_once
from resnext.data.sets.series.raw import RawSeries, check_channels, sort_classes
from resnext.data.sets.series.read import read_series
from resnext.data.sets.signal_folders import refuse_no_val
from resnext.data.signals.prepare import channel_statistics, stack_series
from resnext.data.signals.split import SignalSplit
from resnext.data.split import DataInfo, DataSet
from resnext.errors import ConfigError, DataError
from resnext.model.signal import SignalInput
from resnext.model.signal_columns import SignalColumns
from resnext.untrusted.names import list_names, shown

_MIN_CLASSES = 2


def load_series(path: Path, config: DataConfig) -> DataSet:
    """Read series, give them one length, and split them.

    The test split validates where there is no other: nothing is chosen on it unless the settings
    ask for it (`keep=best`, early stopping).

    Args:
        path: A file; see `read_series`.
        config: Length, fit, normalisation, columns, and the share kept for validation where
            files say no split.

    Raises:
        DataError: A file is not what is accepted, or there are no two classes.
        ConfigError: A setting does not fit.
    """
    columns = _columns(config)
    raw = _with_classes(path, read_series(path, columns))
    classes = _check(path, raw)
    length = config.length or max(one.shape[1] for one in (raw.get("train") or raw["all"]).series)
    splits = {name: _build_split(path, part, classes, length, config) for name, part in raw.items()}
    origin = "the set's own"
    if "all" in splits:
        splits = _divide(path, splits["all"], len(classes), config.val_fraction)
        origin = "by a hash"
    if "val" not in splits:
        splits["val"] = splits.pop("test") if "test" in splits else splits["train"].choose(_NONE)
    known = splits["train"] if len(splits["train"]) else splits["val"]
    signal = _signal(known, length, config)
    info = DataInfo.of_signals(config.label, classes, signal)
    return DataSet(info, splits["train"], splits["val"], splits.get("test"), origin)


_NONE = torch.empty(0, dtype=torch.int64)


def _columns(config: DataConfig) -> SignalColumns:
    label = config.label_column
    if isinstance(label, tuple):
        raise ConfigError(
            f"data.label_column={list(label)!r}: series have one class; name one column"
        )
    return SignalColumns(
        label=label, split=config.split_column, series=config.id_column, time=config.time_column
    )


def _with_classes(path: Path, raw: Mapping[str, RawSeries]) -> dict[str, RawSeries]:
    """Leave out the series of unknown class, and a test split where no class is known."""
    found = {}
    for name, part in raw.items():
        if len(part.labels) != len(part.series):
            raise DataError(
                f"{path}, split {name}: the series have no classes; accepted are those of "
                "@classLabel in a .ts file, a first column, an array y, or a column called label"
            )
        kept = part.labelled()
        if not kept.series and name != "test":
            raise DataError(f"{path}, split {name}: no series has a class")
        if num := len(part.series) - len(kept.series):
            first = part.lines[part.labels.index("")]
            warn_once(
                f"{path}, split {name}: left out {num:,} of {len(part.series):,} series, which "
                f"have no class, such as {first}"
            )
        if kept.series:
            found[name] = kept
    return found


def _check(path: Path, raw: Mapping[str, RawSeries]) -> tuple[str, ...]:
    """Return the classes, after a look at what the splits have in common."""
    first = raw.get("train") or raw["all"] if "all" in raw or "train" in raw else None
    if first is None:
        raise DataError(
            f"{path}: no series for training, only {list_names(list(raw))}; call one split train"
        )
    for name, part in raw.items():
        for series, place in zip(part.series, part.lines, strict=True):
            check_channels(series, first.series[0], f"{path}, split {name}, {place}")
    classes = first.classes or sort_classes({name for part in raw.values() for name in part.labels})
    for name, part in raw.items():
        unknown = sorted(set(part.labels) - set(classes))
        if unknown:
            raise DataError(
                f"{path}, split {name}: the class {shown(unknown[0])} does not occur in training; "
                f"its classes are {list_names(classes, 20, shown)}"
            )
    if len(classes) < _MIN_CLASSES:
        raise DataError(
            f"{path}: all series are of the class {list_names(classes, 1, shown)}; at least two "
            "classes are needed"
        )
    return classes


def _build_split(
    path: Path, raw: RawSeries, classes: tuple[str, ...], length: int, config: DataConfig
) -> SignalSplit:
    values_ncl = stack_series(raw.series, length, config.fit, config.normalise, str(path))
    numbers = {name: number for number, name in enumerate(classes)}
    targets_n = torch.tensor([numbers[label] for label in raw.labels], dtype=torch.int64)
    numbers_n = torch.tensor(raw.numbers, dtype=torch.int64)
    return SignalSplit(torch.from_numpy(values_ncl), targets_n, numbers_n, raw.source)


def _divide(
    path: Path, split: SignalSplit, num_classes: int, val_fraction: float
) -> dict[str, SignalSplit]:
    """Keep a share of each class for validation, or all, chosen by a hash of the number."""
    if val_fraction >= 1.0:
        return {"train": split.choose(_NONE), "val": split}
    names = [split.name(index) for index in range(len(split))]
    is_val_n = choose_val(names, split.targets_n.numpy(), num_classes, val_fraction)
    refuse_no_val(path, is_val_n, "series")
    numbers_n = torch.arange(len(split))
    mask_n = torch.from_numpy(np.asarray(is_val_n))
    return {"train": split.choose(numbers_n[~mask_n]), "val": split.choose(numbers_n[mask_n])}


def _signal(split: SignalSplit, length: int, config: DataConfig) -> SignalInput:
    channels = split.values_ncx.shape[1]
    mean: tuple[float, ...] = (0.0,) * channels
    std: tuple[float, ...] = (1.0,) * channels
    if config.normalise == "channel":
        mean, std = channel_statistics(split.values_ncx.numpy())
    return SignalInput(
        kind="series",
        size=length,
        fit=config.fit,
        normalise=config.normalise,
        mean=mean,
        std=std,
        columns=_columns(config).if_any(),
    )
