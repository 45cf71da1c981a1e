"""Damaged audio and video in requests: each is answered, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from counts import Counts
from effort import Effort

pytest.importorskip("soundfile")
pytest.importorskip("av")

from made_recordings import recording_model
from recordings import BODIES, answer, run


@pytest.mark.parametrize("form", BODIES)
def test_damaged_recordings_are_answered_or_refused(
    form: str, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(run(effort.num_files, seed, form))


@pytest.mark.parametrize("form", BODIES)
def test_whole_recordings_are_answered(form: str) -> None:
    kind, signal, make = BODIES[form]
    answer(recording_model(signal), make(), kind)
