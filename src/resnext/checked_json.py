"""JSON cache files with a checksum; a damaged one counts as missing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from resnext.files import write_whole
from resnext.untrusted.parse import read_json


def write_checked(path: Path, value: Any) -> None:
    """Write a JSON value and its checksum; other processes may write the same file."""
    text = json.dumps({"sha256": _digest(value), "value": value})
    write_whole(path, text, is_shared=True)


def read_checked(path: Path) -> Any:
    """Read a file written by `write_checked`.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or another file.
    """
    found = read_json(path)
    if not isinstance(found, dict) or found.get("sha256") != _digest(found.get("value")):
        raise ValueError("is damaged: its checksum differs")
    return found["value"]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
