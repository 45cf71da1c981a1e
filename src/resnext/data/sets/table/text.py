"""Images whose labels stand in a CSV or TSV file."""

from __future__ import annotations

from pathlib import Path

from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.table.columns import UNNAMED, Columns, GivenColumns, find_columns
from resnext.data.sets.table.labelled import Labelled, log_bad_rows, number_classes, parse_split
from resnext.data.sets.table.paths import find_names
from resnext.data.sets.table.rows import TextTable, read_text_table
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8, shown


def load_text_table(
    path: Path, given: GivenColumns = UNNAMED, images: Path | None = None
) -> Labelled:
    """Read a CSV or TSV file of image paths and labels.

    Args:
        path: The file.
        given: Columns that were named.
        images: Folder of the images; by default found.

    Raises:
        DataError: There is no such table, column or image; or a split has an unknown name.
    """
    table = read_text_table(path)
    columns = find_columns(table.columns, given)
    values = _values(table, columns)
    root, names = find_names(path, values["image"], images)
    bad_rows: dict[int, str] = {}
    kept = []
    for row_index, (line, _) in enumerate(table.rows):
        reason = _fault(values["image"][row_index], values["label"][row_index], names[row_index])
        if reason:
            bad_rows[line] = reason
        else:
            kept.append(row_index)
    if not kept:
        line, reason = next(iter(bad_rows.items()))
        raise DataError(f"{path}: no row is of use; line {line}: {reason}")
    log_bad_rows(path, "line", bad_rows, len(table.rows))
    labels = [values["label"][row_index] for row_index in kept]
    classes, targets_n = number_classes(labels)
    files = FileSplit(root, PackedNames(names[row_index] or "" for row_index in kept), targets_n)
    splits = None
    if columns.split is not None:
        splits = [
            parse_split(f"{path}, line {table.rows[row_index][0]}", values["split"][row_index])
            for row_index in kept
        ]
    return Labelled(classes, files, splits, bad_rows)


def _values(table: TextTable, columns: Columns) -> dict[str, list[str]]:
    """Return the text of each column that counts, row by row; a row may be too short."""
    values = {}
    for what in ("image", "label", "split"):
        name = getattr(columns, what)
        if name is not None:
            row_index = table.columns.index(name)
            values[what] = [
                row[row_index].strip() if row_index < len(row) else "" for _, row in table.rows
            ]
    return values


def _fault(image: str, label: str, name: str | None) -> str:
    if not image:
        return "names no image"
    if not label:
        return "has no label"
    if not is_utf8(label):
        return "the label is not UTF-8"
    return "" if name is not None else f"there is no file {shown(image)}"
