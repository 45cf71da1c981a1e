"""Damaged files of a real run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from counts import Counts
from effort import Effort
from kills import run_command
from run_files import READERS, damage_runs

_BAD_FILES = '[\n  {"path": "a.jpg", "reason": "cut short", "split": "train"}\n]\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    words = ["train", "--data", "digits", "--model", "resnext_1-1_2x4d", "--epochs", "2"]
    words += ["--device", "cpu", "--threads", "1", "--set", "data.num_train=400", "--quiet"]
    run_command([*words, "--out", str(out)])
    (out / "bad_files.json").write_text(_BAD_FILES, encoding="utf-8")
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_run_with_a_damaged_file_is_read_or_refused(
    name: str, run: Path, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    counts = damage_runs(run, name, effort.num_files, seed)
    if not counts.refused:  # a log and notes are read around
        counts.refused, counts.accepted = counts.accepted, 0
    record(counts)
