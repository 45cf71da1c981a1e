"""Damaged signals in requests: each is answered, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from counts import Counts
from effort import Effort
from made_signal_service import signal_model
from signals import BODIES, answer, run


@pytest.mark.parametrize("form", BODIES)
def test_damaged_signals_are_answered_or_refused(
    form: str, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(run(effort.num_files, seed, form))


@pytest.mark.parametrize("form", BODIES)
def test_whole_signals_are_answered(form: str) -> None:
    kind, make = BODIES[form]
    answer(signal_model(), make(), kind)
