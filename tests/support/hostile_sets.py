"""Changes to a packed set that an attacker might make, with the hashes that they need."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from resnext.download import sha256_of

TRAIN = ("splits", "train")
SHARD = (*TRAIN, "shards", 0)


def change_index(packed: Path, change: Callable[[Any], object]) -> None:
    value = json.loads((packed / "index.json").read_text())
    change(value)
    (packed / "index.json").write_text(json.dumps(value))


def set_value(*place: str | int, to: object) -> Callable[[Any], None]:
    """Return a change of one value, such as that of splits.train.num_samples."""

    def change(value: Any) -> None:
        for key in place[:-1]:
            value = value[key]
        value[place[-1]] = to

    return change


def rewrite_rows(packed: Path, change: Callable[[Any], object], table: str = "rows") -> None:
    """Change a table of train, `rows` or `masks`, and give the index its new hash."""
    path = packed / f"train.{table}.npy"
    rows = np.load(path)
    change(rows)
    np.save(path, rows)
    change_index(packed, set_value(*TRAIN, f"{table}_sha256", to=sha256_of(path)))


def put(field: str, value: object, row: int = 3) -> Callable[[Any], None]:
    def change(rows: Any) -> None:
        rows[field][row] = value

    return change
