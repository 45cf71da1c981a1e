"""Parses the argument of `--data` to the settings of a data set. Needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnext.data.address import is_address
from resnext.data.config import DataConfig
from resnext.data.set_names import BOX_SETS, DATA_NAMES
from resnext.data.sets.masks.layout import has_masks
from resnext.data.sets.other_kind import advise_other_kind
from resnext.data.sets.table.find import TABLE_SUFFIXES, find_table
from resnext.data.shards.layout import is_packed
from resnext.errors import ConfigError
from resnext.untrusted.names import shown


def parse_data(text: str, *, is_whole: bool = False) -> DataConfig:
    """Parse `digits`, `cifar10:DIR`, `imagenet:DIR`, `shards:DIR`, a folder or an address.

    Args:
        text: The argument.
        is_whole: Use all images of a folder without splits for validation.

    Raises:
        ConfigError: It is not the name of a data set, an existing folder or an address; or it is a
            folder or file of another kind than images, which needs a prefix.
    """
    if not text:
        raise ConfigError("data '' is empty; give a folder, a table or the name of a data set")
    address = text.removeprefix("shards:")
    if is_address(address):
        return DataConfig(name="shards", url=address)
    name, separator, root = text.partition(":")
    whole: dict[str, Any] = {"val_fraction": 1.0} if is_whole else {}
    if separator and (
        name in ("series", "text", "video", "audio")
        or (name == "volume" and _absolute(root).is_dir())
    ):
        return DataConfig(name=name, root=_absolute(root), **whole)
    if name in DATA_NAMES:
        own = whole if name in ("masks", *BOX_SETS) else {}
        return DataConfig(name=name, root=_absolute(root) if separator else None, **own)
    try:
        path = _absolute(text)
        if path.is_dir():
            if is_packed(path):
                return DataConfig(name="shards", root=path)
            if has_masks(path):
                return DataConfig(name="masks", root=path, **whole)
            _refuse_other_kind(text)
            table = find_table(path)
            return DataConfig(name="table" if table else "folder", root=table or path, **whole)
        if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
            return DataConfig(name="table", root=path, **whole)
        _refuse_other_kind(text)
    except (OSError, RuntimeError):  # a name too long, or the home of nobody
        pass
    raise ConfigError(
        f"data {shown(text)} is neither a known set ({', '.join(DATA_NAMES)}, each also as "
        "NAME:FOLDER, series:FILE, volume:FILE, text:FILE, video:FOLDER and audio:FOLDER) nor an "
        "existing folder of class folders, of images/ and masks/ or of shards, a table of labels "
        "(.csv, .tsv, .parquet), or the address of shards (https://host/folder)"
    )


def _refuse_other_kind(text: str) -> None:
    if advice := advise_other_kind(Path(text).expanduser()):
        raise ConfigError(advice)


def _absolute(text: str) -> Path:
    """Return an absolute path, so that a run can be resumed from another folder."""
    return Path(text).expanduser().absolute()
