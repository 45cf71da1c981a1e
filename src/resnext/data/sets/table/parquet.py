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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from resnext.cache import cache_folder
from resnext.data.decode.image import MAX_FILE_BYTES
from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.layout import SplitName, split_of
from resnext.data.sets.table.columns import UNNAMED, GivenColumns, find_columns
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
    """Read one Parquet file of images and labels.

    The image column contains bytes, or a struct with `bytes` and `path`; the label column contains
    names, or numbers whose names are in the file's metadata.

    Args:
        path: The file.
        given: Columns that were named.
        rule: How the labels are read.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: The file is damaged, or has no such columns.
    """
    with open_parquet(path) as file:
        columns = find_columns(file.schema_arrow.names, given, partial(_flag_fault, file, path))
        targets = _targets(file, path, columns.labels, rule)
        root = _unpack(path, file, columns.image)
        splits = None
        if columns.split is not None:
            splits = [str(value) for value in parquet_values(file, columns.split, path)]
    bad_rows: dict[int, str] = {}
    kept = []
    num_rows = file.metadata.num_rows
    for row in range(num_rows):
        is_there = (root / _name(row)).is_file()
        reason = targets.fault(row) if is_there else "contains no image"
        if reason:
            bad_rows[row] = reason
        else:
            kept.append(row)
    if not kept:
        raise DataError(f"{path}: no usable row; row 0 {bad_rows[0]}")
    log_bad_rows(path, "row", bad_rows, num_rows)
    found = targets.targets(kept)
    files = FileSplit(root, PackedNames(_name(row) for row in kept), found.targets_n)
    of_kept = (
        None if splits is None else [parse_split(f"{path}, row {row}", splits[row]) for row in kept]
    )
    return Labelled(found.classes, files, of_kept, bad_rows, found.kind)


def _targets(
    file: pq.ParquetFile, path: Path, labels: Sequence[str], rule: TargetRule
) -> TargetCells:
    """Read the columns of labels."""
    rule = replace(rule, order=tuple(class_names(file, labels[0])))
    values = {name: parquet_values(file, name, path) for name in labels}
    first = values[labels[0]]
    if len(labels) == 1 and any(isinstance(value, list) for value in first):
        lists = [
            [cell_text(part, rule.order) for part in value] if isinstance(value, list) else None
            for value in first
        ]
        return ListedLabels(lists, rule)
    cells = {name: [cell_text(value, rule.order) for value in values[name]] for name in labels}
    return target_cells(cells, rule)


def _flag_fault(file: pq.ParquetFile, path: Path, name: str) -> str | None:
    import pyarrow as pa

    kind = file.schema_arrow.field(name).type
    if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    return flag_fault([cell_text(value) for value in parquet_values(file, name, path)])


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
