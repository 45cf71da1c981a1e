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
from resnext.data.sets.table.parquet import find_parquet, load_parquet
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
        parts = {
            split: [load_parquet(file, given, rule) for file in files]
            for split, files in tables.items()
        }
        parsed = _of_parts(path, parts)
        return _with_val(path, parsed, val_fraction, group)
    if path.suffix.lower() == ".parquet":
        table = load_parquet(path, given, rule)
    else:
        table = load_text_table(path, given, images, rule, kind)
    parsed = _Parsed(table.classes, table.targets, _by_split(table))
    return _with_val(path, parsed, val_fraction, group)


@dataclass(frozen=True)
class _Parsed:
    classes: tuple[str, ...]
    targets: TargetKind
    splits: dict[SplitName, FileSplit]


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


def _of_parts(path: Path, parts: Mapping[SplitName, Sequence[Labelled]]) -> _Parsed:
    """Join the files of each split, whose images are in separate folders."""
    kinds = {table.targets for tables in parts.values() for table in tables}
    if len(kinds) > 1:
        raise DataError(f"{path}: its files differ in their kind of labels: {', '.join(kinds)}")
    kind = kinds.pop()
    classes = max((table.classes for tables in parts.values() for table in tables), key=len)
    number = {name: label for label, name in enumerate(classes)}
    splits: dict[SplitName, FileSplit] = {}
    for split, tables in parts.items():
        names: list[str] = []
        labels = []
        root = tables[0].files.root.parent
        for table in tables:
            if unknown := [name for name in table.classes if name not in number]:
                raise DataError(f"{path}: the files of {split} differ in class {unknown[0]!r}")
            own_k = torch.tensor([number[name] for name in table.classes])
            names += [f"{table.files.root.name}/{name}" for name in table.files.names]
            labels.append(_renumber(table.files.targets_n, own_k, len(classes)))
        splits[split] = FileSplit(root, PackedNames(names), torch.cat(labels))
    return _Parsed(classes, kind, splits)


def _renumber(targets_n: torch.Tensor, own_k: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Renumber a file's targets to the classes of the whole data set."""
    if targets_n.ndim == 1:
        return own_k[targets_n]
    wide_nk = torch.zeros(len(targets_n), num_classes, dtype=targets_n.dtype)
    wide_nk[:, own_k] = targets_n
    return wide_nk


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
    data = automatic_split(path, name, classes, splits["train"], val_fraction, group=group)
    return replace(data, test=splits.get("test"))
