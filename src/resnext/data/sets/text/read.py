"""Texts with their labels from a table, or from the tables of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from resnext.data.sets.layout import SplitName, split_of
from resnext.data.sets.notices import warn_once
from resnext.data.sets.table.columns import GivenColumns, find_column, find_targets
from resnext.data.sets.table.labelled import log_bad_rows, parse_split
from resnext.data.sets.table.parquet import find_parquet
from resnext.data.sets.table.targets import flag_fault
from resnext.data.sets.text.table import TABLE_SUFFIXES, TextFile, open_table
from resnext.data.signals.tokens import normalise_text
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8, shown

MAX_TEXTS = 5_000_000
_TEXT = (
    *("text", "sentence", "question", "content", "review", "document", "comment", "tweet", "body"),
    *("utterance", "query", "message", "title", "headline", "description", "sms", "input"),
)


@dataclass
class RawTexts:
    """Texts as files hold them.

    Attributes:
        texts: Normalised, none of them empty.
        labels: Cells of the columns of targets, row by row.
        splits: Split of each text; None where nothing says one.
        sources: Name of the file of each text.
        numbers: Number of each text in that file, from 0.
        order: The classes in order, if a file says it.
    """

    texts: list[str] = field(default_factory=list)
    labels: dict[str, list[str]] = field(default_factory=dict)
    splits: list[SplitName | None] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    order: tuple[str, ...] = ()

    def choose(self, rows: Sequence[int]) -> RawTexts:
        """Return some of the texts."""
        return RawTexts(
            [self.texts[row] for row in rows],
            {name: [cells[row] for row in rows] for name, cells in self.labels.items()},
            [self.splits[row] for row in rows],
            [self.sources[row] for row in rows],
            [self.numbers[row] for row in rows],
            self.order,
        )


def find_text_column(table: TextFile, given: str | None) -> str:
    """Return the column of texts: the given one, or one of a usual name.

    Raises:
        DataError: There is none.
    """
    return find_column(table.columns, "text", given, _TEXT)


def read_texts(path: Path, given: GivenColumns) -> RawTexts:
    """Read a table of texts and the tables of its other splits, or those of a folder.

    `train.tsv` finds `dev.tsv` (or val, valid, ...) and `test.tsv` beside it.

    Args:
        path: The table or folder.
        given: Columns that were named; `image` is that of the texts.

    Raises:
        ConfigError: pyarrow is needed and not installed.
        DataError: A file is not what is accepted, or has no such columns.
    """
    found = RawTexts()
    if path.is_dir():
        files = _files_of(path)
    else:
        others = {} if split_of(path.stem) != "train" else _files_of(path.parent, path.suffix)
        files = {**others, "train": [path]} if len(others) > 1 else {None: [path]}
    # The training texts come first: they tell which columns are labels.
    for split, paths in sorted(files.items(), key=lambda item: item[0] != "train"):
        for file in paths:
            _add(found, open_table(file), split, given)
    if not found.texts:
        raise DataError(f"{path}: no row has a text and a label")
    return found


def _files_of(folder: Path, suffix: str = "") -> dict[SplitName | None, list[Path]]:
    """Return the tables of a folder by split; in Hugging Face's layout several for one."""
    found: dict[SplitName | None, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        split = split_of(path.stem)
        if path.name.startswith("."):  # macOS leaves such files beside others
            continue
        if split is None or path.suffix.lower() not in TABLE_SUFFIXES or not path.is_file():
            continue
        if suffix and path.suffix != suffix:
            continue
        if split in found:
            raise DataError(
                f"{folder}: {found[split][0].name} and {path.name} both look like the {split} "
                "split; rename one of them, or give one file: text:FILE"
            )
        found[split] = [path]
    if not found:
        found.update(find_parquet(folder).items())
    if "train" not in found and not suffix:
        raise DataError(
            f"{folder} has no table called train.tsv, train.csv or train.parquet; give the file "
            "itself: text:FILE"
        )
    return found


def _add(found: RawTexts, table: TextFile, split: SplitName | None, given: GivenColumns) -> None:
    """Append the rows of a table."""
    path = table.path
    text = find_text_column(table, given.image)

    def fault_of(name: str) -> str | None:
        fault = flag_fault(table.column(name))  # None also where a label applies to no text
        return "" if fault is None and name in found.labels else fault

    try:
        labels, split_column = find_targets(table.columns, text, given, fault_of)
    except DataError as error:
        if split != "test" or not found.texts:
            raise DataError(f"{path}: {error}") from None
        warn_once(f"{path}: left out, because it has no labels")
        return
    if found.labels and set(found.labels) != set(labels):
        raise DataError(
            f"{path}: its columns of labels are {', '.join(map(shown, labels))}, those of the "
            f"other files {', '.join(map(shown, found.labels))}; all must be the same"
        )
    cells = {name: table.column(name) for name in labels}
    split_cells = table.column(split_column) if split_column is not None and not split else None
    texts = table.column(text)
    if len(found.texts) + len(texts) > MAX_TEXTS:
        raise DataError(f"{path}: more than {MAX_TEXTS:,} texts")
    found.order = found.order or tuple(table.class_order(labels[0]))
    bad_rows: dict[int, str] = {}
    for row, given_text in enumerate(texts):
        clean = normalise_text(given_text)
        reason = _fault(clean, [column[row] for column in cells.values()])
        if reason:
            bad_rows[row] = reason
            continue
        found.texts.append(clean)
        for name, column in cells.items():
            found.labels.setdefault(name, []).append(column[row])
        where = f"{path}, {table.row(row)}"
        found.splits.append(parse_split(where, split_cells[row]) if split_cells else split)
        found.sources.append(path.name)
        found.numbers.append(row)
    log_bad_rows(path, "row", bad_rows, len(texts))


def _fault(text: str, labels: list[str]) -> str:
    """Return why a row cannot be used; empty if it can."""
    if not text:
        return "has no text"
    if not any(labels):
        return "has no label"
    return "" if all(map(is_utf8, labels)) else "the label is not UTF-8"
