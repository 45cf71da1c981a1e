"""Damaged files of studies are refused by name, or left out, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable

import study_files
from counts import Counts
from effort import Effort


def test_damaged_files_of_a_study_are_refused_or_left_out(
    effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(study_files.run(effort.num_files // 15, seed))
