"""Which reader suits a file of series, and the file of the other split beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from resnext.data.sets.series.arrays import read_series_arrays
from resnext.data.sets.series.label_first import read_label_first
from resnext.data.sets.series.raw import RawSeries
from resnext.data.sets.series.table import read_series_table
from resnext.data.sets.series.ts_file import read_ts
from resnext.errors import DataError
from resnext.model.signal_columns import SignalColumns
from resnext.untrusted.names import shown

SERIES_SUFFIXES = (".ts", ".tsv", ".txt", ".npz", ".csv", ".parquet")
_TRAIN = re.compile(r"(?<![a-z])train(?![a-z])", re.IGNORECASE)
_OTHERS = {"val": "val", "test": "test"}


def read_series(path: Path, columns: SignalColumns | None = None) -> dict[str, RawSeries]:
    """Read a file of series, and the files of its other splits beside it.

    `NAME_TRAIN.ts` finds `NAME_TEST.ts` and `NAME_VAL.ts`, in the same case.

    Args:
        path: The file.
        columns: Columns of a table that were named.

    Returns:
        By split: train, val, test; or `all` where nothing says one.

    Raises:
        DataError: A file is missing or not what is accepted; the message says what is.
    """
    splits = read_one_file(path, columns)
    if set(splits) != {"all"}:
        return splits
    beside = _files_beside(path)
    if not beside:
        return splits
    found = {"train": splits["all"]}
    for split, other in beside.items():
        found[split] = _only_split(other, read_one_file(other, columns))
    return found


def read_one_file(
    path: Path, columns: SignalColumns | None = None, *, is_labelled: bool = True
) -> dict[str, RawSeries]:
    """Read a file of series; see `read_series`.

    Args:
        path: The file.
        columns: Columns of a table that were named.
        is_labelled: Those of class and split must be there.
    """
    splits = _read(path, columns, is_labelled=is_labelled)
    return {
        split: replace(raw, source=path.name if split == "all" else f"{path.name}/{split}")
        for split, raw in splits.items()
    }


def _read(path: Path, columns: SignalColumns | None, *, is_labelled: bool) -> dict[str, RawSeries]:
    suffix = path.suffix.lower()
    if path.is_dir() or suffix not in SERIES_SUFFIXES:
        raise DataError(
            f"{path} is {'a folder' if path.is_dir() else 'no file of series by its name'}; "
            f"accepted are files that end in {', '.join(SERIES_SUFFIXES)}, such as series:"
            "GunPoint_TRAIN.ts"
        )
    if suffix == ".ts":
        return {"all": read_ts(path)}
    if suffix in (".tsv", ".txt"):
        return {"all": read_label_first(path)}
    if suffix == ".npz":
        return read_series_arrays(path)
    return read_series_table(path, columns or SignalColumns(), is_labelled=is_labelled)


def _files_beside(path: Path) -> dict[str, Path]:
    """Find the files of the other splits by their names."""
    if _TRAIN.search(path.stem) is None:
        return {}
    found = {}
    for split in _OTHERS:

        def in_case(match: re.Match[str], word: str = split) -> str:
            given = match.group()
            return word.upper() if given.isupper() else word.title() if given.istitle() else word

        other = path.with_name(_TRAIN.sub(in_case, path.stem) + path.suffix)
        if other.is_file():
            found[split] = other
    return found


def _only_split(path: Path, splits: dict[str, RawSeries]) -> RawSeries:
    if set(splits) != {"all"}:
        raise DataError(f"{shown(str(path))} has splits of its own; give one file or the other")
    return splits["all"]
