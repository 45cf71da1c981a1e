"""Checks packed file names from a file, block by block, before they are used as paths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.data.mapped import read_block

MAX_NAME_BYTES = 4096
"""Maximum path length of an image, as on common systems."""

_NAMES_PER_BLOCK = 1 << 13


def check_names(text: NDArray[Any], ends_n: NDArray[Any], field: str | None = None) -> None:
    """Check that names are below their folder, contiguous, and fill the text.

    A listing leaves out hidden files, so no part of a path begins with a dot: neither `..` nor an
    absolute path is valid.

    Args:
        text: The concatenated names in UTF-8, uint8.
        ends_n: End of each name, int64, or records that have it in a field.
        field: Its name.

    Raises:
        ValueError: A check fails; the message is only the reason.
    """
    start = 0
    for first in range(0, len(ends_n), _NAMES_PER_BLOCK):
        block = read_block(ends_n, first, first + _NAMES_PER_BLOCK)
        ends = block if field is None else block[field]
        starts = np.concatenate([[start], ends[:-1]])
        if ends[0] <= start or ends.max() > len(text) or (ends[1:] <= ends[:-1]).any():
            raise ValueError("the names are not contiguous")
        if (ends - starts).max() > MAX_NAME_BYTES:
            raise ValueError(f"a name has more than {MAX_NAME_BYTES} bytes")
        _check_text(read_block(text, start, int(ends[-1])), starts - start)
        start = int(ends[-1])
    if start != len(text):
        raise ValueError("the names do not have the length of their text")


def _check_text(text: NDArray[Any], starts: NDArray[Any]) -> None:
    joined = text.tobytes()
    if b"\0" in joined or b"/." in joined or np.isin(text[starts], list(b"/.")).any():
        raise ValueError("a name is not a path below the folder")
