"""Image data sets in Parquet files, as on the Hugging Face Hub.

The images are in the file. They are extracted once to the cache, so that every verb reads them like
other files.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock

from resnext.cache import cache_folder
from resnext.data.decode.image import MAX_FILE_BYTES
from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.layout import SplitName, split_of
from resnext.data.sets.table.columns import UNNAMED, Columns, GivenColumns, find_columns
from resnext.data.sets.table.labelled import Labelled, log_bad_rows, parse_split
from resnext.data.sets.table.rows import open_parquet, parquet_values
from resnext.data.sets.table.targets import (
    DEFAULT_RULE,
    ListedLabels,
    TargetCells,
    TargetRule,
    flag_fault,
    target_cells,
)
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8, shown
from resnext.untrusted.parse import parse_json

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_BATCH_ROWS = 64
_SHARD = re.compile(r"(?P<split>[a-z]+)(-\d{5}-of-\d{5}.*)?", re.IGNORECASE)
_IN_A_FOLDER = 1000


def find_parquet(root: Path) -> dict[SplitName, list[Path]]:
    """Return the Parquet files of each split of a folder, directly or in `data/`.

    Files are named like the split, or `train-00000-of-00002.parquet`; other files are ignored.
    """
    found: dict[SplitName, list[Path]] = {}
    for folder in (root, root / "data"):
        for path in sorted(folder.glob("*.parquet")):
            match = _SHARD.fullmatch(path.stem)
            split = split_of(match["split"]) if match else None
            if split is not None:
                found.setdefault(split, []).append(path)
    return found


def load_parquet(
    path: Path, given: GivenColumns = UNNAMED, rule: TargetRule = DEFAULT_RULE
) -> Labelled:
    """Read one Parquet file of images and labels; see `load_parquet_files`."""
    return load_parquet_files([path], given, rule)[0]


def load_parquet_files(
    paths: Sequence[Path], given: GivenColumns = UNNAMED, rule: TargetRule = DEFAULT_RULE
) -> list[Labelled]:
    """Read the Parquet files of one data set.

    The image column contains bytes, or a struct with `bytes` and `path`; the label column contains
    names, or numbers whose names are in a file's metadata. What the labels mean follows from all
    files together, since a part may lack a class, or contain only images with one label.

    Args:
        paths: The files; the first one decides the columns.
        given: Columns that were named.
        rule: How the labels are read.

    Returns:
        The images of each file, all with the same classes; of a file without usable rows, none.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: A file is damaged, or has no such columns; or no row can be used.
    """
    with open_parquet(paths[0]) as file:
        names = list(file.schema_arrow.names)
    columns = find_columns(names, given, partial(_flag_fault, paths))
    roots, splits, sizes = [], [], []
    for path in paths:  # a set may have more files than may be open at a time
        with open_parquet(path) as file:
            _check_columns(path, file, columns)
            sizes.append(file.metadata.num_rows)
            roots.append(_unpack(path, file, columns.image))
            splits.append(_split_cells(path, file, columns.split))
    targets = _targets(paths, columns.labels, rule)
    starts = [0, *accumulate(sizes)]
    bad_rows: list[dict[int, str]] = []
    kept: list[list[int]] = []
    for root, start, size in zip(roots, starts, sizes, strict=False):
        is_there = ((root / _name(row)).is_file() for row in range(size))
        faults = [
            targets.fault(start + row) if found else "contains no image"
            for row, found in enumerate(is_there)
        ]
        bad_rows.append({row: fault for row, fault in enumerate(faults) if fault})
        kept.append([row for row, fault in enumerate(faults) if not fault])
    if not any(kept):
        raise DataError(f"{paths[0]}: no usable row; row 0 {bad_rows[0][0]}")
    for path, bad, size in zip(paths, bad_rows, sizes, strict=True):
        log_bad_rows(path, "row", bad, size)
    all_kept = [start + row for start, rows in zip(starts, kept, strict=False) for row in rows]
    found_targets = targets.targets(all_kept)
    parts = torch.split(found_targets.targets_n, [len(rows) for rows in kept])
    return [
        Labelled(
            found_targets.classes,
            FileSplit(root, PackedNames(_name(row) for row in rows), targets_n),
            None if cells is None else [parse_split(f"{path}, row {n}", cells[n]) for n in rows],
            bad,
            found_targets.kind,
        )
        for path, root, rows, targets_n, cells, bad in zip(
            paths, roots, kept, parts, splits, bad_rows, strict=True
        )
    ]


def _check_columns(path: Path, file: pq.ParquetFile, columns: Columns) -> None:
    names = file.schema_arrow.names
    needed = [columns.image, *columns.labels, *([columns.split] if columns.split else [])]
    if missing := [name for name in needed if name not in names]:
        raise DataError(
            f"{path}: has no column {shown(missing[0])}, which other files of the set have; add "
            "it, or give one of the files"
        )


def _split_cells(path: Path, file: pq.ParquetFile, column: str | None) -> list[str] | None:
    return None if column is None else [str(v) for v in parquet_values(file, column, path)]


def _targets(paths: Sequence[Path], labels: Sequence[str], rule: TargetRule) -> TargetCells:
    """Read the columns of labels, one file after the other."""
    values: dict[str, list[Any]] = {name: [] for name in labels}
    order: list[str] = []
    for path in paths:
        with open_parquet(path) as file:
            order = order or class_names(file, labels[0])
            for name in labels:
                values[name] += parquet_values(file, name, path)
    rule = replace(rule, order=tuple(order))
    first = values[labels[0]]
    if len(labels) == 1 and any(isinstance(value, list) for value in first):
        lists = [
            [cell_text(part, rule.order) for part in value] if isinstance(value, list) else None
            for value in first
        ]
        return ListedLabels(lists, rule)
    cells = {name: [cell_text(value, rule.order) for value in values[name]] for name in labels}
    return target_cells(cells, rule)


def _flag_fault(paths: Sequence[Path], name: str) -> str | None:
    import pyarrow as pa

    cells: list[str] = []
    for path in paths:
        with open_parquet(path) as file:
            if name not in file.schema_arrow.names:
                continue
            kind = file.schema_arrow.field(name).type
            is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
            if not (pa.types.is_boolean(kind) or is_number or pa.types.is_null(kind)):
                return None
            cells += map(cell_text, parquet_values(file, name, path))
    return flag_fault(cells)


def class_names(file: pq.ParquetFile, label: str) -> list[str]:
    """Return the names of the classes from the Hub's metadata, if any."""
    metadata = (file.schema_arrow.metadata or {}).get(b"huggingface")
    try:
        feature = parse_json(metadata or b"")["info"]["features"][label]
        names = (feature.get("feature") or feature)["names"]  # of a list, those of its parts
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return []
    return names if len(set(names)) == len(names) and all(map(is_utf8, names)) else []


def cell_text(value: Any, names: Sequence[str] = ()) -> str:
    """Return a value as text; a class number as its name."""
    if names and type(value) is int:
        return names[value] if 0 <= value < len(names) else ""
    return str(value) if isinstance(value, bool | int | float | str) else ""


def _unpack(path: Path, file: pq.ParquetFile, column: str) -> Path:
    """Extract the images of a file to the cache if missing, and return their folder."""
    status = path.stat()
    key = f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0{column}"
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = cache_folder("tables") / digest
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if folder.is_dir():
            return folder
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for row, image in enumerate(_images(path, file, column)):
            if image and len(image) <= MAX_FILE_BYTES:
                target = partial / _name(row)
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(image)
        partial.rename(folder)
    return folder


def _images(path: Path, file: pq.ParquetFile, column: str) -> Iterator[bytes | None]:
    import pyarrow as pa

    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[column]):
            for value in batch.column(0).to_pylist():
                image = value.get("bytes") if isinstance(value, dict) else value
                yield image if isinstance(image, bytes) else None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}, column {shown(column)}: {error}") from None


def _name(row: int) -> str:
    return f"{row // _IN_A_FOLDER:05}/{row:08}"
