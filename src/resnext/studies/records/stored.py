"""Read and validate the JSON files of a study and its trials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from resnext.errors import RunError
from resnext.untrusted.names import shown
from resnext.untrusted.parse import parse_json_lines, read_bytes, read_json

MAX_LOG_BYTES = 256 * 2**20
_MAX_FILE_BYTES = 2**20

Percent = Annotated[float, Field(ge=0, le=100)]
"""An error or another measure in percent; the bounds exclude NaN."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
"""A count, small enough to be plotted and converted."""

Positive = Annotated[float, Field(gt=0, lt=1e15)]
"""A duration in seconds."""

ShortText = Annotated[str, Field(max_length=1000)]

_Kind = TypeVar("_Kind")


def read_stored(file: Path, kind: type[_Kind]) -> _Kind | None:
    """Read a JSON file that a study or a trial has written.

    Args:
        file: The file.
        kind: Expected content: a model, a dataclass or a list of them.

    Returns:
        Its content, or None if there is no such file.

    Raises:
        RunError: It cannot be read or has other content; the message names the file.
    """
    try:
        values = read_json(file, _MAX_FILE_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise RunError(f"{file} is damaged: it {error}") from None
    try:
        content = _adapter(kind).validate_python(values)
    except ValidationError as error:
        raise RunError(f"{file} is damaged: {_first_problem(error)}") from None
    return content


def read_lines(file: Path, max_bytes: int = MAX_LOG_BYTES) -> tuple[list[dict[str, Any]], int]:
    """Read a log of JSON objects and skip damaged lines.

    Returns:
        The objects, and the number of skipped lines. A missing log counts as empty.

    Raises:
        RunError: The file cannot be read or is too large.
    """
    try:
        return parse_json_lines(read_bytes(file, max_bytes))
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise RunError(f"{file} {error}") from None


def keep_valid(rows: list[dict[str, Any]], kind: type[_Kind]) -> list[_Kind]:
    """Return the objects that are valid for a kind."""
    found = []
    for row in rows:
        try:
            found.append(_adapter(kind).validate_python(row))
        except ValidationError:
            continue
    return found


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[_Kind]) -> TypeAdapter[_Kind]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{shown(where)}: {problem['msg'][:200]}" if where else problem["msg"][:200]
