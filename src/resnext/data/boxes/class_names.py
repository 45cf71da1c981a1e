"""The names of a set's classes: YOLO's files of them, and what is true of all names.

Each class has a name, and no two have the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resnext.errors import DataError
from resnext.untrusted.names import shown
from resnext.untrusted.parse import MAX_YAML_BYTES, parse_yaml, read_text

_USUAL = ("data.yaml", "data.yml")
_MAX_FILES = 100
_MAX_LIST_BYTES = 2**20
_NUMBER = re.compile(r"((?:^|[{,])[ \t]*)(\d+)(?=[ \t]*:)", re.MULTILINE)
"""A number as the key of a group, which the names may have; our YAML has texts as keys."""


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


def read_class_names(root: Path) -> tuple[str, ...]:
    """Read the names of YOLO's classes.

    They are in `data.yaml` or `data.yml`, else in the first other YAML file that has `names`, else
    in `classes.txt`.

    Args:
        root: The folder of the set.

    Raises:
        DataError: No file has names, or they cannot be used.
    """
    usual = [path for name in _USUAL if (path := root / name).is_file()]
    others = sorted([*root.glob("[!.]*.yaml"), *root.glob("[!.]*.yml")])
    others = [path for path in others if path not in usual and path.is_file()][:_MAX_FILES]
    problems: list[DataError] = []
    for path in (*usual, *others):
        try:
            names = _in_yaml(path)
        except DataError as error:
            if path in usual:
                raise
            problems.append(error)
        else:
            if names:
                return tuple(check_class_names(path, names).values())
            problems.append(DataError(f"{path}: lists no classes; add names: [first, second]"))
    path = root / "classes.txt"
    if problems and not path.is_file():
        raise problems[0]
    try:
        lines = read_text(path, _MAX_LIST_BYTES).rstrip().splitlines()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not lines:
        raise DataError(f"{path}: lists no classes; write the name of one in each line")
    return tuple(check_class_names(path, dict(enumerate(lines))).values())


def _in_yaml(path: Path) -> Mapping[int, object]:
    """Return the names in a YAML file, a list or a group by numbers; empty if it has none.

    Raises:
        DataError: It cannot be read, or a number is missing.
    """
    try:
        values: Any = parse_yaml(_NUMBER.sub(r'\1"\2"', read_text(path, MAX_YAML_BYTES)))
        names = values.get("names") if isinstance(values, dict) else None
        if isinstance(names, dict):
            numbered = {int(number): name for number, name in names.items()}
            if missing := sorted(set(range(len(names))) - set(numbered)):
                raise ValueError(f"number {missing[0]} has no name")
            return dict(sorted(numbered.items()))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return dict(enumerate(names)) if isinstance(names, list) else {}


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: cannot be read for the names of the classes ({error}); write data.yaml with "
        "names: [first, second]"
    )
