"""Columns that only number the rows, as pandas and R add them to the tables that they write.

As a value they would tell the class of a table that is sorted by class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from resnext.data.sets.notices import warn_once
from resnext.untrusted.names import shown

_NAME = re.compile(r"|index|unnamed: \d+(\.\d+)?|__index_level_\d+__", re.IGNORECASE)


def without_row_numbers(
    path: Path, names: Sequence[str], cells: Mapping[str, Sequence[Any]]
) -> list[str]:
    """Return the columns of values; those that number the rows are left out with a warning.

    Such a column has no name, or one that pandas gives, and contains whole numbers that are all
    different, as in a part of a table, or count up, again and again in joined tables.

    Args:
        path: The table, for the warning.
        names: Columns that may be values.
        cells: All columns.
    """
    kept = []
    for name in names:
        if _NAME.fullmatch(name) and _are_row_numbers([_whole(cell) for cell in cells[name]]):
            warn_once(
                f"{path}: left out the column {shown(name)}, which numbers the rows; rename it if "
                "it contains values of the series"
            )
        else:
            kept.append(name)
    return kept


def _whole(cell: Any) -> int | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() and number >= 0 else None


def _are_row_numbers(numbers: Sequence[int | None]) -> bool:
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return False
    if len(set(known)) == len(known):
        return True
    first = known[0]
    return first <= 1 and all(after in (before + 1, first) for before, after in pairwise(known))
