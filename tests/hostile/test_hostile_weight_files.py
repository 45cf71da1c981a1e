"""Damaged weight files and exported networks: each loads, or is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from counts import Counts
from weight_bases import BASES
from weight_files import run

_SLOW = ("pt2", "torchscript")  # 40 ms and more for a file


@pytest.mark.slow
@pytest.mark.parametrize("kind", BASES)
def test_a_damaged_file_loads_or_is_refused(
    kind: str, effort: Any, seed: int, record: Callable[[Counts], None]
) -> None:
    num_files = effort.num_files // (8 if kind in _SLOW else 1)
    record(run(kind, num_files, seed))
