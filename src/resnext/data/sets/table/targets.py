"""Converts cells of a table to targets: one class, several labels, or numbers.

Legend: n rows, k labels or numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch

from resnext.data.config import UNKNOWN, TargetKind
from resnext.data.sets.table.labelled import number_classes
from resnext.errors import DataError
from resnext.untrusted.names import is_utf8, shown

_SEPARATORS = "|;,"
_NO_LABEL = ("none", "[]")
_MAX_BAD_FLAGS = 0.15
_FLAGS = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), 1),
    **dict.fromkeys(("0", "0.0", "false", "no"), 0),
    **dict.fromkeys(("", "-1", "-1.0", "nan"), UNKNOWN),
}


@dataclass(frozen=True)
class Targets:
    """The targets of a table's rows.

    Attributes:
        kind: Kind of targets.
        classes: Names of the classes, labels or numbers.
        targets_n: See `TargetKind`.
    """

    kind: TargetKind
    classes: tuple[str, ...]
    targets_n: torch.Tensor


class TargetCells(Protocol):
    """The cells of a table with its targets."""

    def fault(self, row: int) -> str:
        """Return why a row cannot be used; empty if it can."""
        ...

    def targets(self, rows: Sequence[int]) -> Targets:
        """Return the targets of the used rows."""
        ...


@dataclass(frozen=True)
class TargetRule:
    """How to parse labels.

    Attributes:
        kind: Kind of targets; `auto` detects it.
        separator: Separator of labels in a cell; by default detected among | ; and commas.
        order: All classes in order, if given by the table.
    """

    kind: TargetKind | Literal["auto"] = "auto"
    separator: str | None = None
    order: tuple[str, ...] = ()


DEFAULT_RULE = TargetRule()


def target_cells(
    columns: Mapping[str, Sequence[str]], rule: TargetRule = DEFAULT_RULE
) -> TargetCells:
    """Interpret the cells.

    A single column contains a class, unless its cells list several labels; several columns contain
    1 for each label that applies.

    Args:
        columns: The cells of the columns of targets, row by row.
        rule: The rule for labels.
    """
    kind, separator = rule.kind, rule.separator
    if kind == "number":
        return _Numbers(columns)
    if len(columns) > 1:
        return _Flags(columns, is_exclusive=kind == "class", may_be_exclusive=kind == "auto")
    cells = next(iter(columns.values()))
    found = separator if separator is not None else find_separator(cells)
    if kind == "labels" or (kind == "auto" and found is not None):
        return ListedLabels([split_cell(cell, found) if cell else None for cell in cells], rule)
    return _Classes(cells, rule.order)


def find_separator(cells: Sequence[str]) -> str | None:
    """Return the separator of labels in a cell; None if a cell is one label.

    A character only counts as separator if there are no more labels than distinct cells: `cat;dog`,
    `cat` and `dog` are two labels, while `Smith, John` and `Miller, Ann` are two names.
    """
    distinct = set(cells) - {""}
    for separator in _SEPARATORS:
        parts = {part for cell in distinct for part in split_cell(cell, separator)}
        if any(separator in cell for cell in distinct) and len(parts) <= len(distinct):
            return separator
    return None


def split_cell(cell: str, separator: str | None) -> list[str]:
    """Return the distinct labels of a cell, without brackets and quotes."""
    if cell.strip().casefold() in _NO_LABEL:
        return []
    if cell.startswith("[") and cell.endswith("]"):
        cell, separator = cell[1:-1], separator or ","
    parts = [cell] if separator is None else cell.split(separator)
    return list(dict.fromkeys(label for part in parts if (label := part.strip().strip("'\""))))


def flag_fault(cells: Sequence[str]) -> str | None:
    """Return why a column does not hold a label.

    Returns:
        Empty if all cells are 1, 0 or empty and one is 1; a reason if few cells are something else;
        None if the column holds something else.
    """
    counts = Counter(cell.casefold() for cell in cells)
    bad = [cell for cell in counts if cell not in _FLAGS]
    values = {_FLAGS[cell] for cell in counts if cell in _FLAGS}
    if not bad:
        return "" if 1 in values else None
    num_bad = sum(counts[cell] for cell in bad)
    if not {0, 1} <= values or num_bad > _MAX_BAD_FLAGS * len(cells):
        return None
    row = next(row for row, cell in enumerate(cells, start=1) if cell.casefold() in bad)
    return f"the cell in row {row:,} is {shown(cells[row - 1])}, neither 1, 0 nor empty"


class _Classes:
    """One class per cell."""

    def __init__(self, cells: Sequence[str], order: Sequence[str]) -> None:
        self._cells, self._order = cells, order

    def fault(self, row: int) -> str:
        if not self._cells[row]:
            return "has no label"
        return "" if is_utf8(self._cells[row]) else "the label is not UTF-8"

    def targets(self, rows: Sequence[int]) -> Targets:
        classes, targets_n = number_classes([self._cells[row] for row in rows], self._order)
        return Targets("class", classes, targets_n)


class ListedLabels:
    """Several labels per row."""

    def __init__(
        self, lists: Sequence[Sequence[str] | None], rule: TargetRule = DEFAULT_RULE
    ) -> None:
        """Take the labels of each row; None where they are not known."""
        self._lists, self._order = lists, rule.order

    def fault(self, row: int) -> str:
        """Return why a row cannot be used; empty if it can."""
        labels = self._lists[row]
        if labels is None:
            return "has no label (use none if no label applies)"
        return "" if all(map(is_utf8, labels)) else "a label is not UTF-8"

    def targets(self, rows: Sequence[int]) -> Targets:
        """Return the targets of the used rows."""
        lists = [self._lists[row] or () for row in rows]
        found = [label for labels in lists for label in labels]
        if not found:
            raise DataError("the label column contains no labels, so there is nothing to learn")
        classes, labels_m = number_classes(found, self._order)
        targets_nk = torch.zeros(len(rows), len(classes), dtype=torch.int8)
        rows_m = np.repeat(np.arange(len(lists)), [len(labels) for labels in lists])
        targets_nk[torch.from_numpy(rows_m), labels_m] = 1
        return Targets("labels", classes, targets_nk)


class _Flags:
    """One column per label: 1 if it applies, 0 if not, empty if unknown."""

    def __init__(
        self, columns: Mapping[str, Sequence[str]], *, is_exclusive: bool, may_be_exclusive: bool
    ) -> None:
        self._columns = columns
        self._is_exclusive, self._may_be_exclusive = is_exclusive, may_be_exclusive

    def fault(self, row: int) -> str:
        values = []
        for name, cells in self._columns.items():
            values.append(_FLAGS.get(cells[row].casefold()))
            if values[-1] is None:
                return f"{shown(name)} is {shown(cells[row])}, neither 1, 0 nor empty"
        if all(value == UNKNOWN for value in values):
            return "has no label"
        if self._is_exclusive and (values.count(1) != 1 or UNKNOWN in values):
            return "does not have exactly one class"
        return ""

    def targets(self, rows: Sequence[int]) -> Targets:
        flags = [
            [_FLAGS[cells[row].casefold()] for row in rows] for cells in self._columns.values()
        ]
        targets_nk = torch.tensor(flags, dtype=torch.int8).T.contiguous()
        names = tuple(self._columns)
        is_one_nk = targets_nk == 1
        has_one_class = bool((is_one_nk.sum(dim=1) == 1).all()) and bool((targets_nk >= 0).all())
        if self._is_exclusive or (self._may_be_exclusive and has_one_class):
            return Targets("class", names, is_one_nk.int().argmax(dim=1))
        return Targets("labels", names, targets_nk)


class _Numbers:
    """A number in each column; empty if unknown."""

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        self._columns = columns

    def fault(self, row: int) -> str:
        for name, cells in self._columns.items():
            if cells[row] and _number(cells[row]) is None:
                return f"{shown(name)} is {shown(cells[row])}, which is not a number"
        return "" if any(cells[row] for cells in self._columns.values()) else "has no number"

    def targets(self, rows: Sequence[int]) -> Targets:
        values = [[_number(cells[row]) for row in rows] for cells in self._columns.values()]
        filled = [[math.nan if value is None else value for value in column] for column in values]
        targets_nk = torch.tensor(filled, dtype=torch.float32).T.contiguous()
        return Targets("number", tuple(self._columns), targets_nk)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
