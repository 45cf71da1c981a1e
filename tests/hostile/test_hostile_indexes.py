"""Damaged packed sets, listings, caches, configs and archives: one message, nothing outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from counts import Counts
from effort import Effort
from indexes import KINDS, run


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused_in_one_line(
    kind: str, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(run(kind, effort.num_files, seed))
