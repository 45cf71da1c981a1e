"""The state of a trial follows from its folder, by one rule."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_study import made_figures, made_study

from resnext.claim import Claim, take_claim
from resnext.studies.records.cut import Cut, write_cut
from resnext.studies.records.results import read_row
from resnext.studies.records.trial import ATTEMPTS, RESULT, Trial, plan_trials
from resnext.studies.study import Test

CUT = Cut(study="made", epoch=1, value=50.0, rung=1, min_epochs=1, factor=3)


def leave(trial: Trial, root: Path, what: str) -> None:
    """Leave in a trial's folder what something has happened leaves there."""
    folder = trial.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    if what in ("failed", "tried"):
        row = {"reason": "crashed", "is_last": what == "failed"}
        (folder / ATTEMPTS).write_text(json.dumps(row) + "\n")
    if what == "pruned":
        write_cut(folder, CUT)
    if what == "done":
        (folder / RESULT).write_text(made_figures(trial, 10.0).model_dump_json())


@pytest.mark.parametrize(
    ("left", "study", "state"),
    [
        ([], "made", "missing"),
        (["tried"], "made", "missing"),
        (["failed"], "made", "failed"),
        (["pruned"], "made", "pruned"),
        (["failed", "pruned"], "made", "pruned"),
        (["pruned"], "another", "missing"),
        (["pruned"], "", "missing"),
        (["done"], "made", "done"),
        (["failed", "pruned", "done"], "made", "done"),
    ],
)
def test_a_state_follows_from_what_is_in_the_folder(
    left: list[str], study: str, state: str, tmp_path: Path
) -> None:
    trial = plan_trials(made_study())[0]
    for what in left:
        leave(trial, tmp_path, what)
    assert read_row(trial, tmp_path, study).state == state


def test_a_trial_that_someone_works_on_is_running_whatever_was_before(tmp_path: Path) -> None:
    trial = plan_trials(made_study())[0]
    for what in ("failed", "pruned"):
        leave(trial, tmp_path, what)
    claim = take_claim(trial.folder(tmp_path), on_lost=lambda: None)
    assert isinstance(claim, Claim)
    assert read_row(trial, tmp_path, "made").state == "running"
    claim.release()
    assert read_row(trial, tmp_path, "made").state == "pruned"


def test_a_trial_is_done_with_its_tests_only(tmp_path: Path) -> None:
    trial = plan_trials(made_study())[0]
    leave(trial, tmp_path, "done")
    assert read_row(replace(trial, tests=(Test(name="320"),)), tmp_path, "made").state == "missing"


def test_a_damaged_note_of_halving_is_told_and_ends_no_trial(tmp_path: Path) -> None:
    trial = plan_trials(made_study())[0]
    leave(trial, tmp_path, "pruned")
    (trial.folder(tmp_path) / "pruned.json").write_text("{")
    row = read_row(trial, tmp_path, "made")
    assert row.state == "missing"
    assert "pruned.json is damaged" in row.damage[0]
