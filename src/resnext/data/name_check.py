"""Checking packed names that come from a file, block by block, before one is used as a path."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.data.mapped import read_block

MAX_NAME_BYTES = 4096
"""Of the whole path of an image: as much as the usual systems accept."""

_NAMES_PER_BLOCK = 1 << 13


def check_names(text: NDArray[Any], ends_n: NDArray[Any], field: str | None = None) -> None:
    """Check that names lie below their folder, one after another, and fill the text.

    A listing leaves out whatever is hidden, so no part of a path begins with a dot: neither `..`
    nor an absolute path can be among the names.

    Args:
        text: The names in UTF-8, end to end, uint8.
        ends_n: Where each one ends, int64, or records that have this in a field.
        field: Its name.

    Raises:
        ValueError: They do not; the message is the reason only.
    """
    start = 0
    for first in range(0, len(ends_n), _NAMES_PER_BLOCK):
        block = read_block(ends_n, first, first + _NAMES_PER_BLOCK)
        ends = block if field is None else block[field]
        starts = np.concatenate([[start], ends[:-1]])
        if ends[0] <= start or ends.max() > len(text) or (ends[1:] <= ends[:-1]).any():
            raise ValueError("the names do not follow one another")
        if (ends - starts).max() > MAX_NAME_BYTES:
            raise ValueError(f"a name has more than {MAX_NAME_BYTES} bytes")
        _check_text(read_block(text, start, int(ends[-1])), starts - start)
        start = int(ends[-1])
    if start != len(text):
        raise ValueError("the names have another length than their text")


def _check_text(text: NDArray[Any], starts: NDArray[Any]) -> None:
    joined = text.tobytes()
    if b"\0" in joined or b"/." in joined or np.isin(text[starts], list(b"/.")).any():
        raise ValueError("a name is not that of a file below the folder")
