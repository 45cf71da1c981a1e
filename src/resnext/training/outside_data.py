"""A run must not lie among the classes of its own data."""

from __future__ import annotations

from pathlib import Path

from resnext.data.config import DataConfig
from resnext.data.sets.layout import split_of
from resnext.data.sets.listing import subfolders
from resnext.errors import ConfigError

_CLASS_FOLDERS = ("folder", "video", "audio", "volume")


def refuse_inside(data: DataConfig, run: Path) -> None:
    """Refuse a run folder that would count as a class, and make the data unusable.

    Beside `train/` and `val/`, or in a hidden folder, it does no harm.

    Args:
        data: The data of the run.
        run: The run folder, or the folder in which it will be created.

    Raises:
        ConfigError: It would be a class, or in one.
    """
    if data.name not in _CLASS_FOLDERS or data.root is None or not data.root.is_dir():
        return
    root, place = data.root.resolve(), run.expanduser().resolve()
    if not place.is_relative_to(root) or place == root:
        return
    first = place.relative_to(root).parts[0]
    splits = {name for name in subfolders(root) if split_of(name) and subfolders(root / name)}
    if first.startswith(".") or (splits and first not in splits):
        return
    raise ConfigError(
        f"the run folder {run} would be inside the data folder {data.root}, where each folder is a "
        "class; give a folder elsewhere with --out, or start the command in another folder"
    )
