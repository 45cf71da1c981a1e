"""Reads other tables as the network's task needs them."""

from __future__ import annotations

from resnext.data.config import DataConfig
from resnext.data.sets.table.columns import as_names, has_label_column
from resnext.data.sets.table.rows import column_names
from resnext.model.card import ModelCard
from resnext.tasks.kinds import task_kind

_OF_TABLES = ("class", "labels", "number")
_SHARED = {
    "masks": ("ignore_value",),
    "table": ("image_column", "label_column", "split_column", "label_separator"),
}
"""Settings that other data of the same kind share with those of training."""


def as_run_reads(data: DataConfig, own: DataConfig | None) -> DataConfig:
    """Return the settings that read other masks or tables as a run's own, unless they differ.

    A column that a table does not have is found by its common names.

    Args:
        data: The data to read.
        own: The data of the run, if known.

    Raises:
        DataError: The table cannot be read.
    """
    if own is None or own.name != data.name:
        return data
    changes = {
        key: getattr(own, key)
        for key in _SHARED.get(data.name, ())
        if getattr(data, key) is None and getattr(own, key) is not None
    }
    named = {key for key in changes if key.endswith("_column")}
    if named and data.root is not None:
        columns = column_names(data.root) if data.root.is_file() else []
        for key in named:
            if not set(as_names(changes[key])) <= set(columns):
                del changes[key]
    return data.replace(**changes)


def as_in_task(data: DataConfig, card: ModelCard) -> DataConfig:
    """Return the settings that read a table's targets as those of a network.

    In a small table each image may happen to have exactly one of several labels, or a label may not
    occur at all.

    Raises:
        DataError: The table cannot be read.
    """
    if data.name not in ("table", "text") or data.targets != "auto":
        return data
    kind = task_kind(card.task).targets
    if kind not in _OF_TABLES:
        return data
    data = data.replace(targets=kind)
    if data.name == "text" or data.label_column is not None or data.root is None:
        return data
    if not data.root.is_file():
        return data
    columns = column_names(data.root)
    known = tuple(name for name in card.classes if name in columns)
    return data.replace(label_column=known) if _are_labels(known, columns) else data


def _are_labels(known: tuple[str, ...], columns: list[str]) -> bool:
    return len(known) > 1 and not has_label_column(columns)
