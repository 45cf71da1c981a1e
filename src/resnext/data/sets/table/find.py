"""Finds the table of a folder. Nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from resnext.data.sets.layout import split_of

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")


def find_table(folder: Path) -> Path | None:
    """Return the table with the labels of a folder, if it is that kind of folder.

    That is a folder with Parquet files named like splits, directly or in `data/` (then the table is
    the folder itself); or with one CSV or TSV file next to image files or a folder of them, as in
    Kaggle's data sets. A `train.csv` is preferred to others.
    """
    if any(_is_split(path) for part in (".", "data") for path in (folder / part).glob("*.parquet")):
        return folder
    tables = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in (".csv", ".tsv") and not path.name.startswith(".")
    )
    train = [path for path in tables if split_of(path.stem) == "train"]
    chosen = train or tables
    return chosen[0] if len(chosen) == 1 and not _has_class_folders(folder) else None


def _is_split(path: Path) -> bool:
    return split_of(path.stem.partition("-")[0]) is not None


def _has_class_folders(folder: Path) -> bool:
    """Return whether subfolders look like classes, or like splits with classes."""
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if any(split_of(path.name) and any(part.is_dir() for part in path.iterdir()) for path in inner):
        return True
    return len([path for path in inner if split_of(path.name) is None]) > 1
