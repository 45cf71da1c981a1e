"""Checks file names and relative paths that come from a file or an address."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

MAX_NAME_BYTES = 255
"""Maximum name length of common file systems."""

MAX_PATH_BYTES = 1024
MAX_SYSTEM_PATH_BYTES = 4095
"""Maximum path length: Linux's limit, the largest of common systems."""

_RESERVED = frozenset({"", ".", ".."})


def check_file_name(name: object) -> str:
    """Check that a name is a single path component, so that it cannot leave its folder.

    Args:
        name: The name from a file or an address.

    Returns:
        The same name.

    Raises:
        ValueError: It is not a string, empty, too long, `.` or `..`, or it contains a separator or
            a control character. The message is only the reason.
    """
    if not isinstance(name, str):
        raise ValueError(f"{shown(name)} is not a file name: it must be a string")
    if name in _RESERVED:
        raise ValueError(f"{shown(name)} is not a file name")
    if any(char in "/\\\0" or unicodedata.category(char) == "Cc" for char in name):
        raise ValueError(
            f"{shown(name)} is not a file name: it contains a separator or a control character"
        )
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise ValueError(f"{shown(name)} is longer than {MAX_NAME_BYTES} bytes")
    return name


def check_relative_path(path: object) -> str:
    """Check a path below a folder: components separated by `/`, each a file name.

    Args:
        path: The path from a file or an address.

    Returns:
        The same path.

    Raises:
        ValueError: It is absolute, leads out of its folder, or has a component that
            `check_file_name` refuses. The message is only the reason.
    """
    if not isinstance(path, str):
        raise ValueError(f"{shown(path)} is not a path: it must be a string")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise ValueError(f"{shown(path)} is longer than {MAX_PATH_BYTES} bytes")
    if path.startswith("/"):
        raise ValueError(f"{shown(path)} is an absolute path; it must be below the folder")
    for name in path.split("/"):
        try:
            check_file_name(name)
        except ValueError:
            raise ValueError(f"{shown(path)} is not a path below the folder") from None
    return path


def check_path(path: str) -> str:
    """Check that this system can use a path.

    Args:
        path: An absolute or relative path; it need not be UTF-8.

    Raises:
        ValueError: It is empty or contains a NUL, or it or a name in it is too long. The message is
            only the reason.
    """
    if not path:  # `Path("")` is the current folder
        raise ValueError("the path is empty")
    if "\0" in path:
        raise ValueError("a path cannot contain a NUL character")
    if len(os.fsencode(path)) > MAX_SYSTEM_PATH_BYTES:
        raise ValueError(f"the path is longer than {MAX_SYSTEM_PATH_BYTES:,} bytes")
    if any(len(os.fsencode(name)) > MAX_NAME_BYTES for name in path.split("/")):
        raise ValueError(f"a name in the path is longer than {MAX_NAME_BYTES} bytes")
    return path


def with_home(path: str | os.PathLike[str]) -> str:
    """Return a path as text, with `~/` replaced by the home folder.

    A shell does so itself, but not in quotes nor behind a sign, as in `--out=~/photos.onnx`.
    """
    text = os.fspath(path) if isinstance(path, os.PathLike) else str(path)
    return str(Path(text).expanduser()) if text == "~" or text.startswith("~/") else text


def is_utf8(name: str) -> bool:
    """Return whether a name is valid UTF-8; Python maps other bytes to unpaired surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def list_names(names: Sequence[str], most: int = 5, write: Callable[[str], str] = str) -> str:
    """Format the first few of many names, and the number of others."""
    text = ", ".join(map(write, names[:most])) or "none"
    more = len(names) - most
    return f"{text} and {more:,} more" if more > 0 else text


def shown(value: object, max_chars: int = 60) -> str:
    """Format a value for an error message: quoted, escaped and truncated."""
    text = ascii(value[: max_chars + 1]) if isinstance(value, str) else ascii(value)
    return text if len(text) <= max_chars + 2 else f"{text[:max_chars]}..."
