"""The way to run a network that was the fastest elsewhere, by kind of device and width of groups.

For runs too short to time anything. The table is a file beside this one: `bench.speed_table`
writes the rows of a device that it measured; rows that nobody of us measured say so.
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
    """What the table says of a network.

    Attributes:
        choice: How to run it.
        source: Where that comes from.
        is_measured: By us; otherwise it follows from what others published.
    """

    choice: SpeedChoice
    source: str
    is_measured: bool


def look_up(device_type: str, model: ModelConfig) -> TableEntry:
    """Return the row of the nearest width of a group, on a logarithmic scale.

    Args:
        device_type: `cpu`, `cuda`, ...; one that the table does not know gets the defaults.
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
    """Return how far two widths are apart; None is a dense convolution."""
    if known is None or wanted is None:
        return 0.0 if known is wanted else math.inf
    return abs(math.log2(known / wanted))


@cache
def _table() -> dict[str, Any]:
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    table: dict[str, Any] = parse_json(text)
    return table
