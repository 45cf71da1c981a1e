"""Tells whether the targets of a data set are masks, before it is opened."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.shards.layout import is_packed, read_index


def has_mask_targets(data: DataConfig) -> bool:
    """Return whether a data set has masks: a folder of them, or a packed one.

    Args:
        data: The set. Of one at an address, the index is fetched.

    Raises:
        DataError: The index of a packed set is damaged.
        DownloadError: It cannot be downloaded.
    """
    if data.name != "shards":
        return data.name == "masks"
    if data.url is not None:
        from resnext.data.shards.remote import fetch_index

        return fetch_index(data.url).masks is not None
    root = data.root
    return root is not None and is_packed(root) and read_index(root).masks is not None
