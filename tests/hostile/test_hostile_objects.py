"""Damaged requests to the service of a detector: each is answered, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from counts import Counts
from effort import Effort
from made_detector import detector_client, picture
from objects import BODIES, answer, run
from starlette.testclient import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with detector_client() as found:
        yield found


@pytest.mark.parametrize("form", BODIES)
def test_damaged_requests_are_answered_or_refused(
    client: TestClient, form: str, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(run(client, effort.num_files, seed, form))


@pytest.mark.parametrize("form", BODIES)
def test_whole_requests_are_answered(client: TestClient, form: str) -> None:
    kind, make = BODIES[form]
    answer(client, make(picture(80, 60, ((5, 4, 25, 16),))), kind, "?top=100&min_score=0")
