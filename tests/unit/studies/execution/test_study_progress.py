import json
import re
from pathlib import Path
from typing import Any

import pytest

from resnext.model.names import config_from
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.studies.execution import progress as progress_module
from resnext.studies.execution.progress import Progress
from resnext.studies.records.results import Row, TrialFigures
from resnext.studies.records.trial import Trial
from resnext.studies.study import Design

MODEL = config_from("resnext_1-1_2x4d_cifar")
CONFIG = TrainConfig(model=MODEL, schedule=ScheduleConfig(epochs=10))
FIGURES = TrialFigures(
    value=12.345,
    loss=1.0,
    train_value=10.0,
    train_loss=1.0,
    best_value=12.0,
    parameters=1,
    macs=1,
    activations=1,
    epochs=10,
    seconds=1.0,
)


def trial(seed: int = 0) -> Trial:
    return Trial(Design(label="2x4d", model=MODEL), CONFIG.replace(seed=seed))


def log(folder: Path, *rows: dict[str, Any]) -> None:
    (folder / "run").mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "run" / "metrics.jsonl").write_text(text + '{"kind": "epo')


def train_row(step: int, epoch: int) -> dict[str, Any]:
    return {"kind": "train", "step": step, "epoch": epoch, "loss": 1.5, "images_per_s": 1234.5}


def epoch_row(step: int, epoch: int, seconds: float) -> dict[str, Any]:
    return {
        "kind": "epoch",
        "step": step,
        "epoch": epoch,
        "top1_error": 33.3,
        "seconds": seconds,
    }


def test_plain_lines_tell_each_start_and_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("plain", total=4, missing=3) as progress:
        progress.started(trial(), tmp_path)
        progress.ended(Row(trial(), tmp_path, "done", FIGURES))
        progress.elsewhere(trial(1), "process 7 on far")
        progress.elsewhere(trial(1), "process 7 on far")
        progress.retried(trial(2), "killed: by SIGKILL")
        progress.ended(Row(trial(2), tmp_path, "failed"), "crashed: the last words")
        progress.ended(Row(trial(3), tmp_path, "pruned"), "top-1 error 50.00% after epoch 2")
        progress.tick({tmp_path: trial()})
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "4 trials: 1 already done, 3 to run",
        "start  2x4d, digits, seed 0",
        "done   2x4d, digits, seed 0  top-1 error 12.35 %  [2/4]",
        "wait   2x4d, digits, seed 1  (process 7 on far is working on it)",
        "retry  2x4d, digits, seed 2  killed: by SIGKILL",
        "failed 2x4d, digits, seed 2  crashed: the last words  [3/4]",
        "pruned 2x4d, digits, seed 3  top-1 error 50.00% after epoch 2  [4/4]",
    ]


def test_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("quiet", total=1, missing=1) as progress:
        progress.started(trial(), tmp_path)
        progress.ended(Row(trial(), tmp_path, "failed"), "crashed")
    assert capsys.readouterr().err == ""


def test_the_live_table_tells_figures_and_time_left_of_each_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress_module, "_SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("TERM", "xterm")
    begun, new = tmp_path / "begun", tmp_path / "new"
    # Four of ten epochs in 60 s, and half of the fifth: 15 s an epoch, 5.5 epochs left.
    log(begun, epoch_row(400, 4, 60.0), train_row(450, 5))
    with Progress("live", total=5, missing=4) as progress:
        progress.started(trial(0), begun)
        progress.started(trial(1), new)
        progress.elsewhere(trial(2), "process 7 on far")
        progress.tick({begun: trial(0), new: trial(1)})
        said = capsys.readouterr().err
    said = re.sub(r"\x1b\[[0-9?;]*[a-zA-Z]", "", said)
    (row,) = (line.split() for line in said.splitlines() if "5/10" in line)
    assert row == ["2x4d", "digits", "0", "5/10", "1.500", "33.30%", "1,234", "1:22"]
    (fresh,) = (line.split() for line in said.splitlines() if "starting" in line)
    assert fresh == ["2x4d", "digits", "1", "starting"]
    assert "1 of 5 trials ended, 2 running, 1 elsewhere" in said


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    rows = [train_row(step, 1) for step in range(5000)]
    log(tmp_path, *rows, epoch_row(5000, 1, 9.0), *rows[:20])
    assert (tmp_path / "run" / "metrics.jsonl").stat().st_size > progress_module._TAIL_BYTES
    found = progress_module._tail(tmp_path)
    assert found == {"train": rows[19], "epoch": epoch_row(5000, 1, 9.0)}
