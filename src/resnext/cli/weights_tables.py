"""The tables of `resnext weights`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from resnext.terminal import create_console
from resnext.weights.entry import WeightsEntry


def print_list(entries: Sequence[WeightsEntry]) -> None:
    """Print entries, a line each."""
    table = Table(title=f"{len(entries)} published weight files")
    table.add_column("name", no_wrap=True)
    has_errors = any(entry.top1_error is not None for entry in entries)
    titles = ["error %"] if has_errors else ["box AP", "mask AP"]
    for title in (*titles, "px"):
        table.add_column(title, justify="right")
    table.add_column("licence")
    for entry in entries:
        licence = entry.licence + (", non-commercial" if entry.is_non_commercial else "")
        values = _errors(entry) if has_errors else _precisions(entry)
        table.add_row(entry.name, *values, str(entry.image_size_px), licence)
    create_console().print(table)


def _errors(entry: WeightsEntry) -> tuple[str]:
    """Return the error, or the AP of a detector in a list with classifiers."""
    if entry.box_ap is not None:
        return (f"AP {entry.box_ap:.1f}",)
    return ("" if entry.top1_error is None else f"{entry.top1_error:.2f}",)


def _precisions(entry: WeightsEntry) -> tuple[str, str]:
    box, mask = ("" if ap is None else f"{ap:.1f}" for ap in (entry.box_ap, entry.mask_ap))
    return box, mask


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print what is known about an entry or a file, a line for each fact."""
    table = Table(show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in ("", None, (), [], {}):
            table.add_row(name.replace("_", " "), _shown(value))
    create_console().print(table)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_shown(item)}" for key, item in value.items())
    return f"{value:,}" if type(value) is int else str(value)
