"""A training whose processes are killed at random moments ends as if nobody had disturbed it."""

import random
from pathlib import Path

import pytest
from elastic import disturb, largest_difference, launch, settings


@pytest.mark.slow
def test_killed_processes_are_started_again_and_change_no_bit(tmp_path: Path) -> None:
    settings(tmp_path / "settings")
    reference, run = tmp_path / "reference", tmp_path / "run"
    assert launch(tmp_path / "settings", reference, 2, restarts=0).wait(300) == 0
    agent = launch(tmp_path / "settings", run, 2, restarts=3)
    steps = disturb(agent, run, random.Random(0), kills=3)
    assert agent.wait(300) == 0, run.with_name("run.txt").read_text()
    assert steps
    assert largest_difference(run, reference) == 0.0
