"""Addresses of packed sets. Needs no torch."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether a text is an address, such as https://host/folder or s3://bucket/folder."""
    return _ADDRESS.match(text) is not None


def join(address: str, name: str) -> str:
    """Return the address of a file in a folder; a query (a signature) stays at the end."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def last_part(address: str) -> str:
    """Return the name of the folder, used as the name of the data set."""
    parts = urlsplit(address)
    return parts.path.rstrip("/").rpartition("/")[2] or parts.netloc
