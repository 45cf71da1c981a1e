"""The class list of masks: one name per line, optionally after its value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from resnext.errors import DataError
from resnext.untrusted.names import list_names, shown
from resnext.untrusted.parse import read_text

FILES = ("classes.txt", "class_names.txt", "codes.txt", "labels.txt")
MAX_CLASSES = 255
_MAX_BYTES = 2**16
_VALUED = re.compile(r"(\d{1,3})\s*[:;,=\t ]\s*(\S.*)")
_COLORED = re.compile(r"\d{1,3}[\s,]+\d{1,3}[\s,]+\d{1,3}\b.*")


@dataclass(frozen=True)
class ClassList:
    """The classes listed in a file.

    Attributes:
        path: The file.
        names: Their names.
        values: The value of each in the masks, or None if the file only has names.
    """

    path: Path
    names: tuple[str, ...]
    values: tuple[int, ...] | None


def find_class_list(root: Path) -> ClassList | None:
    """Read the list in a folder, if there is one.

    Raises:
        DataError: It cannot be read, is empty, or lists a class twice, colours or too many classes.
    """
    path = next((root / name for name in FILES if (root / name).is_file()), None)
    if path is None:
        return None
    try:
        text = read_text(path, _MAX_BYTES)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; make it readable, or remove it") from None
    except ValueError as error:
        raise DataError(f"{path}: {error}; it needs one class name per line, in UTF-8") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    return _parse(path, lines)


def _parse(path: Path, lines: list[str]) -> ClassList:
    if not 2 <= len(lines) <= MAX_CLASSES:
        raise DataError(
            f"{path} lists {len(lines)} classes; give 2 to {MAX_CLASSES}, one name per line"
        )
    if all(_COLORED.fullmatch(line) for line in lines):
        raise DataError(
            f"{path} lists colours, but masks must contain class numbers; give one class name "
            "per line, in the order of the numbers, or NUMBER NAME"
        )
    matches = [_VALUED.fullmatch(line) for line in lines]
    values: tuple[int, ...] | None = None
    names = tuple(lines)
    if all(match is not None for match in matches):
        pairs = [(int(match[1]), match[2]) for match in matches if match is not None]
        values, names = tuple(value for value, _ in pairs), tuple(name for _, name in pairs)
        if len(set(values)) < len(values) or max(values) > 255:
            raise DataError(f"{path}: the values of the classes must differ and be 0 to 255")
    if len(set(names)) < len(names):
        double = [name for name in names if names.count(name) > 1]
        raise DataError(f"{path} lists {list_names(double[:1], write=shown)} twice; remove one")
    return ClassList(path, names, values)
