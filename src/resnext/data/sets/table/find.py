"""Where the table of a folder lies. Nothing here needs torch."""

from __future__ import annotations

from pathlib import Path

from resnext.data.sets.layout import split_of

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")


def find_table(folder: Path) -> Path | None:
    """Return the table that labels the images of a folder, if it is that kind of folder.

    It is where Parquet files are called like splits, here or in `data/` (then the table is the
    folder itself); or where there is one CSV or TSV file beside image files or one folder of
    them, as Kaggle lays its sets out. A `train.csv` is preferred to others.
    """
    if any(_is_split(path) for part in (".", "data") for path in (folder / part).glob("*.parquet")):
        return folder
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".csv", ".tsv"))
    train = [path for path in tables if split_of(path.stem) == "train"]
    chosen = train or tables
    return chosen[0] if len(chosen) == 1 and not _has_class_folders(folder) else None


def _is_split(path: Path) -> bool:
    return split_of(path.stem.partition("-")[0]) is not None


def _has_class_folders(folder: Path) -> bool:
    """Tell whether folders in a folder look like classes, or like splits that hold classes."""
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if any(split_of(path.name) and any(part.is_dir() for part in path.iterdir()) for path in inner):
        return True
    return len([path for path in inner if split_of(path.name) is None]) > 1
