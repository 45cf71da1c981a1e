"""Images with labels in a CSV or TSV file."""

from __future__ import annotations

from pathlib import Path

from resnext.data.file_split import FileSplit
from resnext.data.names import PackedNames
from resnext.data.sets.listing import IMAGES, FileKind
from resnext.data.sets.table.columns import UNNAMED, GivenColumns, find_columns
from resnext.data.sets.table.labelled import Labelled, log_bad_rows, parse_split, warn_of_repeats
from resnext.data.sets.table.paths import find_names
from resnext.data.sets.table.rows import read_text_table
from resnext.data.sets.table.targets import DEFAULT_RULE, TargetRule, flag_fault, target_cells
from resnext.errors import DataError
from resnext.untrusted.names import shown


def load_text_table(
    path: Path,
    given: GivenColumns = UNNAMED,
    images: Path | None = None,
    rule: TargetRule = DEFAULT_RULE,
    kind: FileKind = IMAGES,
) -> Labelled:
    """Read a CSV or TSV file of image paths and labels.

    Args:
        path: The file.
        given: Given columns.
        images: Folder of the images; detected by default.
        rule: How to parse labels.
        kind: Which files the paths lead to.

    Raises:
        DataError: There is no such table, column or image; or a split has an unknown name.
    """
    table = read_text_table(path)
    columns = find_columns(table.columns, given, lambda name: flag_fault(table.column(name)))
    image_cells = table.column(columns.image)
    targets = target_cells({name: table.column(name) for name in columns.labels}, rule)
    root, names = find_names(path, image_cells, images, kind)
    bad_rows: dict[int, str] = {}
    kept = []
    for row, (line, _) in enumerate(table.rows):
        reason = _file_fault(image_cells[row], names[row], kind) or targets.fault(row)
        if reason:
            bad_rows[line] = reason
        else:
            kept.append(row)
    if not kept:
        line, reason = next(iter(bad_rows.items()))
        raise DataError(f"{path}: no usable row; line {line}: {reason}")
    log_bad_rows(path, "line", bad_rows, len(table.rows))
    warn_of_repeats(path, [names[row] or "" for row in kept])
    found = targets.targets(kept)
    files = FileSplit(root, PackedNames(names[row] or "" for row in kept), found.targets_n)
    splits = None
    if columns.split is not None:
        split_cells = table.column(columns.split)
        splits = [
            parse_split(f"{path}, line {table.rows[row][0]}", split_cells[row]) for row in kept
        ]
    return Labelled(found.classes, files, splits, bad_rows, found.kind)


def _file_fault(cell: str, name: str | None, kind: FileKind) -> str:
    if not cell:
        return f"names no {kind.noun}"
    return "" if name is not None else f"there is no file {shown(cell)}"
