"""Series in a CSV or Parquet table: a row each, or long, a row for each step.

Wide: a column of classes and the values, in the order of the columns. Long: a column that says
which series a row belongs to, one of its class, and a column for each channel.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.sets.notices import warn_once
from resnext.data.sets.series.raw import (
    RawSeries,
    check_finite,
    check_shape,
    class_name,
    sort_classes,
    without_end,
)
from resnext.data.sets.series.row_numbers import without_row_numbers
from resnext.data.sets.table.rows import open_parquet, parquet_values, read_text_table
from resnext.data.signals.prepare import Series
from resnext.errors import DataError
from resnext.model.signal import MAX_SIGNAL_VALUES
from resnext.model.signal_columns import SignalColumns
from resnext.untrusted.names import list_names, shown

_LABELS = ("label", "class", "target", "y", "category", "classname", "labelname")
_IDS = ("id", "seriesid", "caseid", "sampleid", "series", "case", "uid")
_TIMES = ("time", "timestamp", "step", "t", "date", "datetime", "index", "position")
_SPLITS = ("split", "subset", "set", "partition")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}

Cells = Mapping[str, Sequence[Any]]


def read_series_table(
    path: Path, given: SignalColumns, *, is_labelled: bool = True
) -> dict[str, RawSeries]:
    """Read a CSV or Parquet table of series.

    Args:
        path: The file.
        given: Columns that were named.
        is_labelled: Those of class and split must be there.

    Returns:
        By split, or `all` where there is no such column.

    Raises:
        DataError: It is no such table; the message names the column or row.
    """
    cells = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    names = list(cells)
    if not is_labelled:
        label, split = (name if name in names else None for name in (given.label, given.split))
        given = given.replace(label=label, split=split)
    assert not isinstance(given.label, tuple)  # series have one class
    label = _find(path, names, given.label, _LABELS, "label_column")
    split = _find(path, names, given.split, _SPLITS, "split_column")
    time = _find(path, names, given.time, _TIMES, "time_column")
    series = _find(path, names, given.series, _IDS, "id_column")
    known = [] if series is None else [key for key in map(str, cells[series]) if key]
    is_long = given.series is not None or len(set(known)) < len(known)
    # A wide table may call its values t, 0, 1, ...: a time column is one of a long table.
    left_out = {label, split, series, time if is_long or given.time else None}
    columns = without_row_numbers(path, [name for name in names if name not in left_out], cells)
    if not columns:
        raise DataError(f"{path}: no column of values beside {list_names(names, 20, shown)}")
    values = np.stack([_numbers(path, name, cells[name]) for name in columns], axis=1)
    check_finite(values, str(path))
    if is_long:
        assert series is not None
        rows = _rows_of(cells, series, time, path)
        found = [values[row].T for row in rows.values()]
    else:
        rows = {str(number): np.array([number]) for number in range(len(values))}
        found = [without_end(row)[np.newaxis] for row in values]
    for key, one in zip(rows, found, strict=True):
        check_shape(one.shape, f"{path}, series {shown(key)}")
    labels = [] if label is None else _of_each(path, label, cells[label], rows)
    words = ["all"] * len(rows) if split is None else _of_each(path, split, cells[split], rows)
    splits = words if split is None else [_split_name(path, word) for word in words]
    classes = sort_classes(set(labels))
    return {
        part: RawSeries(
            [one for one, own in zip(found, splits, strict=True) if own == part],
            [one for one, own in zip(labels, splits, strict=False) if own == part],
            classes,
            [f"series {shown(key)}" for key, own in zip(rows, splits, strict=True) if own == part],
        )
        for part in dict.fromkeys(splits)
    }


def _read_csv(path: Path) -> Cells:
    table = read_text_table(path, "series or step of one")
    if len(table.columns) * len(table.rows) > MAX_SIGNAL_VALUES // 4:
        raise DataError(f"{path}: more than {MAX_SIGNAL_VALUES // 4:,} cells; use Parquet or .npz")
    return {name: table.column(name) for name in table.columns}


def _read_parquet(path: Path) -> Cells:
    file = open_parquet(path)
    names = list(file.schema_arrow.names)
    if len(set(names)) < len(names) or len(names) * file.metadata.num_rows > MAX_SIGNAL_VALUES // 4:
        raise DataError(
            f"{path}: {len(names):,} columns and {file.metadata.num_rows:,} rows; accepted are at "
            f"most {MAX_SIGNAL_VALUES // 4:,} cells, and every column name once"
        )
    return {
        name: ["" if _is_null(cell) else cell for cell in parquet_values(file, name, path)]
        for name in names
    }


def _is_null(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _find(
    path: Path, names: Sequence[str], given: str | None, usual: Sequence[str], setting: str
) -> str | None:
    if given is not None:
        if given not in names:
            raise DataError(
                f"data.{setting}={shown(given)}: {path} has no such column; it has "
                f"{list_names(names, 20, shown)}"
            )
        return given
    by_name = {re.sub(r"[\s_.-]+", "", name.casefold()): name for name in reversed(names)}
    return next((by_name[name] for name in usual if name in by_name), None)


def _numbers(path: Path, name: str, cells: Sequence[Any]) -> Series:
    values = np.empty(len(cells), dtype=np.float32)
    for row, cell in enumerate(cells):
        text = cell.strip() if isinstance(cell, str) else cell
        try:
            with np.errstate(over="ignore"):
                values[row] = np.nan if text is None or text in ("", "?") else float(text)
        except (TypeError, ValueError):
            raise DataError(
                f"{path}, column {shown(name)}, row {row + 1}: {shown(cell)} is not a number. All "
                "columns but those of class, split, series and time are values; name these with "
                "--set data.label_column=NAME (split_column, id_column, time_column)"
            ) from None
    return values


def _rows_of(
    cells: Cells, series: str, time: str | None, path: Path
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the rows of each series, in the order of time, or of the table where it says none.

    Rows that do not say their series are left out with a warning.
    """
    groups: dict[str, list[int]] = {}
    for row, key in enumerate(cells[series]):
        groups.setdefault(str(key), []).append(row)
    unknown = groups.pop("", [])
    if not groups:
        raise DataError(f"{path}: no row has a value in the column {shown(series)}")
    if unknown:
        warn_once(
            f"{path}: left out {len(unknown):,} of {len(cells[series]):,} rows without a value in "
            f"the column {shown(series)}, such as row {unknown[0] + 1}"
        )
    rows = {key: np.array(group) for key, group in groups.items()}
    if time is None:
        return rows
    try:
        order: npt.NDArray[Any] = _numbers(path, time, cells[time])
    except DataError:  # dates: ISO's sort as texts
        order = np.unique(np.array([str(cell) for cell in cells[time]]), return_inverse=True)[1]
    return {key: group[np.argsort(order[group], kind="stable")] for key, group in rows.items()}


def _of_each(
    path: Path, column: str, cells: Sequence[Any], rows: Mapping[str, Sequence[int] | Any]
) -> list[str]:
    """Return the one value of a column in the rows of each series; empty where it has none."""
    return [
        _constant(path, key, column, {class_name(str(cells[one])) for one in own})
        for key, own in rows.items()
    ]


def _constant(path: Path, key: str, column: str, found: set[str]) -> str:
    if len(found) > 1:
        raise DataError(
            f"{path}, series {shown(key)}: the column {shown(column)} has "
            f"{list_names(sorted(found), 5, shown)}; give one value in all rows of a series"
        )
    return next(iter(found))


def _split_name(path: Path, word: str) -> str:
    name = _SPLIT_NAMES.get(word.casefold())
    if name is None:
        raise DataError(f"{path}: the split {shown(word)}; accepted are train, val and test")
    return name
