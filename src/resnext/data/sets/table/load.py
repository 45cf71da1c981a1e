"""A table of labels as a data set with splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from resnext.data.config import TargetKind
from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.layout import SplitName
from resnext.data.sets.listing import IMAGES, FileKind
from resnext.data.sets.photo_info import photo_info
from resnext.data.sets.split_photos import automatic_split, refuse_one_class
from resnext.data.sets.table.columns import UNNAMED, GivenColumns
from resnext.data.sets.table.labelled import Labelled
from resnext.data.sets.table.parquet import find_parquet, load_parquet, load_parquet_files
from resnext.data.sets.table.targets import DEFAULT_RULE, TargetRule
from resnext.data.sets.table.text import load_text_table
from resnext.data.split import DataSet
from resnext.errors import DataError


def load_table(
    path: Path,
    val_fraction: float,
    given: GivenColumns = UNNAMED,
    *,
    images: Path | None = None,
    group: str | None = None,
    rule: TargetRule = DEFAULT_RULE,
    kind: FileKind = IMAGES,
) -> DataSet:
    """Read a table of labels, or a folder of Parquet files.

    Args:
        path: The table, or the folder.
        val_fraction: Fraction of each class's training images for validation if the table has no
            validation images; with 1, and no training images, all.
        given: Columns that were named.
        images: Folder of the images of a text table; detected by default.
        group: As for `load_folder`.
        rule: How the labels are read.
        kind: Which files the paths of a text table lead to.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: The table, a column or the images are missing, or there is one class.
    """
    if path.is_dir():
        tables = find_parquet(path)
        if not tables:
            raise DataError(
                f"{path} contains no Parquet file named like a split, such as train.parquet; "
                "give the table file itself"
            )
        parsed = _of_parts(tables, given, rule)
        return _with_val(path, parsed, val_fraction, group)
    if path.suffix.lower() == ".parquet":
        table = load_parquet(path, given, rule)
    else:
        table = load_text_table(path, given, images, rule, kind)
    parsed = _Parsed(table.classes, table.targets, _by_split(table))
    return _with_val(path, parsed, val_fraction, group)


@dataclass(frozen=True)
class _Parsed:
    """What the rows say.

    Attributes:
        classes: Names of the classes.
        targets: Kind of targets.
        splits: The images of each split.
        keys: Name of each training image for the automatic split; by default that of its file.
    """

    classes: tuple[str, ...]
    targets: TargetKind
    splits: dict[SplitName, FileSplit]
    keys: Sequence[str] | None = None


def _by_split(table: Labelled) -> dict[SplitName, FileSplit]:
    """Group the images of a table by its split column; without one all are for training."""
    if table.splits is None:
        return {"train": table.files}
    splits: dict[SplitName, FileSplit] = {}
    for split in ("train", "val", "test"):
        chosen = [index for index, name in enumerate(table.splits) if name == split]
        if chosen:
            splits[split] = table.files.choose(torch.tensor(chosen))
    return splits


def _of_parts(
    files: Mapping[SplitName, Sequence[Path]], given: GivenColumns, rule: TargetRule
) -> _Parsed:
    """Join the files of each split, whose images are in separate folders.

    Images are known by their file and row: the folders of the cache have other names where the
    files lie elsewhere or have another time, and the automatic split must not depend on that.
    """
    order: list[SplitName] = [split for split in ("train", "val", "test") if split in files]
    paths = [path for split in order for path in files[split]]
    tables = dict(zip(paths, load_parquet_files(paths, given, rule), strict=True))
    splits: dict[SplitName, FileSplit] = {}
    keys: list[str] = []
    for split in order:
        own = [tables[path] for path in files[split]]
        names = [f"{one.files.root.name}/{name}" for one in own for name in one.files.names]
        if names:
            targets_n = torch.cat([table.files.targets_n for table in own])
            splits[split] = FileSplit(own[0].files.root.parent, PackedNames(names), targets_n)
        if split == "train":
            keys = [
                f"{path.name}/{name}" for path in files[split] for name in tables[path].files.names
            ]
    first = tables[paths[0]]
    return _Parsed(first.classes, first.targets, splits, keys)


def _with_val(path: Path, parsed: _Parsed, val_fraction: float, group: str | None) -> DataSet:
    """Build the data set; if there are no validation images, take them from training."""
    data = _split(path, parsed, val_fraction, group)
    return replace(data, info=replace(data.info, targets=parsed.targets))


def _split(path: Path, parsed: _Parsed, val_fraction: float, group: str | None) -> DataSet:
    classes, splits, name = parsed.classes, parsed.splits, path.stem or path.name
    if val_fraction == 1 and ("val" not in splits or "train" not in splits):
        val = splits.get("val") or splits.get("test") or splits["train"]
        none = val.choose(torch.empty(0, dtype=torch.int64))
        return DataSet(photo_info(name, classes), none, val, splits.get("test"))
    if "train" not in splits:
        raise DataError(f"{path} has no training images, only {', '.join(splits)}")
    if parsed.targets == "class":
        refuse_one_class(path, classes)
    if "val" in splits:
        info = photo_info(name, classes)
        origin = "the table's own"
        return DataSet(info, splits["train"], splits["val"], splits.get("test"), origin)
    data = automatic_split(
        path, name, classes, splits["train"], val_fraction, group=group, keys=parsed.keys
    )
    return replace(data, test=splits.get("test"))
