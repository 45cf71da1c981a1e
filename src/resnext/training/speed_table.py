"""A table of the fastest way to run a network, by kind of device and group width.

For runs too short for timing. The table is a file next to this one: `bench.speed_table` writes the
rows of a measured device; rows that were not measured by us are marked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from resnext.model.config import ModelConfig
from resnext.training.speed_choice import SpeedChoice, group_width
from resnext.untrusted.parse import parse_json

FILE = "speed_table.json"


@dataclass(frozen=True)
class TableEntry:
    """An entry of the table.

    Attributes:
        choice: How to run it.
        source: Source of the choice.
        is_measured: Whether we measured it; otherwise it is based on published results.
    """

    choice: SpeedChoice
    source: str
    is_measured: bool


def look_up(device_type: str, model: ModelConfig) -> TableEntry:
    """Return the entry with the nearest group width, on a logarithmic scale.

    Args:
        device_type: `cpu`, `cuda`, ...; unknown ones get the defaults.
        model: The network.
    """
    devices = _table()
    if device_type not in devices:
        return TableEntry(SpeedChoice(), "the defaults", is_measured=False)
    device = devices[device_type]
    width = group_width(model)
    row = min(device["rows"], key=lambda row: _distance(row["group_width"], width))
    choice = SpeedChoice(row["layout"], row["compile"], row["merge_groups"])
    return TableEntry(choice, device["source"], device["is_measured"])


def _distance(known: int | None, wanted: int | None) -> float:
    """Return the distance of two widths; None is a dense convolution."""
    if known is None or wanted is None:
        return 0.0 if known is wanted else math.inf
    return abs(math.log2(known / wanted))


@cache
def _table() -> dict[str, Any]:
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    table: dict[str, Any] = parse_json(text)
    return table
