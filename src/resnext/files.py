"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def write_whole(path: Path, text: str, *, is_shared: bool = False) -> None:
    """Write a text beside its place and rename it, so that nobody reads half of it.

    Args:
        path: The file; one that exists is replaced.
        text: Its content.
        is_shared: Other processes may write the same file at this moment. Otherwise the name
            beside it is fixed, so that the next write replaces what a killed one left behind.
    """
    writer = f".{socket.gethostname()}.{os.getpid()}" if is_shared else ""
    partial = path.with_name(f"{path.name}{writer}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
