"""The names of a set's classes: each class has one, and no two have the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from resnext.errors import DataError
from resnext.untrusted.names import shown


def check_class_names(path: Path, names: Mapping[int, object]) -> dict[int, str]:
    """Check the names of classes.

    Args:
        path: The file that lists them.
        names: By the numbers that the file gives them.

    Returns:
        The names without the blanks around them.

    Raises:
        DataError: One is empty or no text, or two are equal, so that their figures would be mixed.
    """
    checked: dict[int, str] = {}
    numbers: dict[str, int] = {}
    for number, value in names.items():
        name = "" if value is None else str(value).strip()
        if isinstance(value, list | dict) or not name:
            found = "has no name" if not name else f"is called {shown(value)}, which is no text"
            raise DataError(f"{path}: class {number} {found}; give each class a name")
        first = numbers.setdefault(unicodedata.normalize("NFC", name), number)
        if first != number:
            raise DataError(
                f"{path} lists {shown(name)} twice, as class {first} and class {number}; rename "
                "one, or use the same number for the boxes of both"
            )
        checked[number] = name
    return checked
