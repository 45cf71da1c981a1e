"""A table of labels as a data set with splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.folders import automatic_split, photo_info, refuse_one_class
from resnext.data.sets.layout import SplitName
from resnext.data.sets.table.columns import UNNAMED, GivenColumns
from resnext.data.sets.table.labelled import Labelled
from resnext.data.sets.table.parquet import find_parquet, load_parquet
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
) -> DataSet:
    """Read a table of labels, or a folder of Parquet files.

    Args:
        path: The table, or the folder.
        val_fraction: Share of each class's training images to validate on where the table has
            no validation images; with 1, and no training images, all.
        given: Columns that were named.
        images: Folder of the images of a text table; by default found.
        group: As for `load_folder`.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: The table, a column or the images are missing, or there is one class.
    """
    if path.is_dir():
        tables = find_parquet(path)
        if not tables:
            raise DataError(
                f"{path} holds no Parquet file called like a split, such as train.parquet; give "
                "the file of the table itself"
            )
        parts = {
            split: [load_parquet(file, given) for file in files] for split, files in tables.items()
        }
        classes, splits = _of_parts(path, parts)
        return _with_val(path, classes, splits, val_fraction, group)
    if path.suffix.lower() == ".parquet":
        table = load_parquet(path, given)
    else:
        table = load_text_table(path, given, images)
    return _with_val(path, table.classes, _by_split(table), val_fraction, group)


def _by_split(table: Labelled) -> dict[SplitName, FileSplit]:
    """Sort the images of a table by its column of splits; without one all are for training."""
    if table.splits is None:
        return {"train": table.files}
    splits: dict[SplitName, FileSplit] = {}
    for split in ("train", "val", "test"):
        chosen = [index for index, name in enumerate(table.splits) if name == split]
        if chosen:
            splits[split] = table.files.choose(torch.tensor(chosen))
    return splits


def _of_parts(
    path: Path, parts: Mapping[SplitName, Sequence[Labelled]]
) -> tuple[tuple[str, ...], dict[SplitName, FileSplit]]:
    """Put the files of each split together; their images lie in folders of their own."""
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
            labels_k = torch.tensor([number[name] for name in table.classes])
            names += [f"{table.files.root.name}/{name}" for name in table.files.names]
            labels.append(labels_k[table.files.targets_n])
        splits[split] = FileSplit(root, PackedNames(names), torch.cat(labels))
    return classes, splits


def _with_val(
    path: Path,
    classes: tuple[str, ...],
    splits: dict[SplitName, FileSplit],
    val_fraction: float,
    group: str | None,
) -> DataSet:
    """Make a data set; validation images are taken from training where there are none."""
    name = path.stem or path.name
    if val_fraction == 1 and ("val" not in splits or "train" not in splits):
        val = splits.get("val") or splits.get("test") or splits["train"]
        none = val.choose(torch.empty(0, dtype=torch.int64))
        return DataSet(photo_info(name, classes), none, val, splits.get("test"))
    if "train" not in splits:
        raise DataError(f"{path} has no training images, only {', '.join(splits)}")
    refuse_one_class(path, classes)
    if "val" in splits:
        info = photo_info(name, classes)
        origin = "the table's own"
        return DataSet(info, splits["train"], splits["val"], splits.get("test"), origin)
    data = automatic_split(path, name, classes, splits["train"], val_fraction, group=group)
    return replace(data, test=splits.get("test"))
