"""A study runs, is killed, interrupted and shared, and ends as if nothing had happened."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from liveness import is_alive
from small_study import (
    VALIDATION,
    all_figures,
    children,
    end_driver,
    figures,
    kill,
    long_settings,
    run,
    small_settings,
    small_study,
    start_driver,
    trained_steps,
    wait_for,
    wait_for_training,
)

from resnext.runs.config import OptimConfig
from resnext.studies.execution.scheduler import status_rows
from resnext.studies.study import Halving, Study

LONG = small_study(settings=(long_settings(),))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The logs of the long study when nobody disturbs it."""
    return all_figures(run(LONG, tmp_path_factory.mktemp("undisturbed"), jobs=2))


def one_design(study: Study) -> Study:
    return study.replace(designs=study.designs[:1])


def modification_times(root: Path) -> dict[Path, int]:
    kept = ("result.json", "metrics.jsonl", "last.safetensors")
    return {path: path.stat().st_mtime_ns for name in kept for path in root.rglob(name)}


def test_a_study_runs_once_is_shared_and_a_killed_trial_is_tried_again(tmp_path: Path) -> None:
    study = small_study(tests=(VALIDATION,))
    driver = start_driver(study, tmp_path, jobs=1)
    kill(*wait_for(lambda: children(study, tmp_path)).values())
    status, said = end_driver(driver)
    assert status == 0
    rows = status_rows(study, tmp_path)
    assert [row.state for row in rows] == ["done", "done"]
    assert [len(row.attempts) for row in rows] == [1, 0]
    assert rows[0].attempts[0]["reason"] == "killed"
    assert rows[0].attempts[0]["detail"] == "by SIGKILL"
    assert "retry  1x8d, digits, seed 0  killed: by SIGKILL" in said
    for row in rows:
        assert row.figures is not None
        assert row.figures.epochs == 2
        assert row.value() == pytest.approx(row.value("again"))

    before = modification_times(tmp_path)
    other = small_study(name="other", seeds=(0,))
    assert [row.state for row in run(other, tmp_path)] == ["done", "done"]
    assert modification_times(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["child", "driver", "both"])
def test_killing_changes_no_figure(tmp_path: Path, whom: str, undisturbed: dict[str, Any]) -> None:
    driver = start_driver(LONG, tmp_path, jobs=2)
    training = wait_for_training(LONG, tmp_path)
    if whom in ("driver", "both"):
        kill(driver.pid)
    if whom in ("child", "both"):
        kill(*training.values())
    status, _ = end_driver(driver)
    assert status == (0 if whom == "child" else -signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, training.values())))
    rows = run(LONG, tmp_path, jobs=2)
    assert [row.state for row in rows] == ["done", "done"]
    assert all_figures(rows) == undisturbed


@pytest.mark.slow
def test_a_child_without_its_driver_saves_and_leaves(tmp_path: Path) -> None:
    study = one_design(LONG)
    driver = start_driver(study, tmp_path)
    (folder, pid), *_ = wait_for_training(study, tmp_path).items()
    kill(driver.pid)
    end_driver(driver)
    wait_for(lambda: not is_alive(pid))
    assert "stopped by SIGTERM and saved at" in (folder / "log.txt").read_text()
    assert not (folder / "result.json").exists()
    assert [row.state for row in status_rows(study, tmp_path)] == ["missing"]


@pytest.mark.slow
def test_a_study_that_is_interrupted_saves_and_goes_on(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    driver = start_driver(LONG, tmp_path, jobs=2)
    training = wait_for_training(LONG, tmp_path)
    driver.send_signal(signal.SIGINT)
    status, said = end_driver(driver)
    assert status == 128 + signal.SIGINT
    assert "stopped by SIGINT; the running trials have saved" in said
    assert not any(map(is_alive, training.values()))
    assert any((folder / "run" / "last.safetensors").exists() for folder in training)
    rows = run(LONG, tmp_path, jobs=2)
    assert all_figures(rows) == undisturbed
    assert [row.attempts for row in rows] == [(), ()]


@pytest.mark.slow
def test_two_drivers_at_once_train_every_trial_once(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    drivers = [start_driver(LONG, tmp_path) for _ in range(2)]
    assert [end_driver(driver)[0] for driver in drivers] == [0, 0]
    rows = status_rows(LONG, tmp_path)
    assert all_figures(rows) == undisturbed
    for row in rows:
        epochs = [line for line in figures(row) if line["kind"] == "epoch"]
        steps = [line["step"] for line in epochs]
        assert steps == sorted(steps)
        assert row.attempts == ()


def test_a_trial_that_stops_early_is_done_and_tells_its_epochs(tmp_path: Path) -> None:
    settings = small_settings(epochs=6, early_stopping=1, freeze_norm=True)
    settings = settings.replace(optim=OptimConfig(lr=1e-7))  # no epoch beats the first
    study = small_study(settings=(settings,))
    rows = run(study, tmp_path, jobs=1)
    assert [row.state for row in rows] == ["done", "done"]
    for row in rows:
        assert row.figures is not None
        assert row.figures.epochs == 2
        assert row.figures.balanced_accuracy is not None


@pytest.mark.slow
def test_a_trial_that_halving_stops_has_saved_and_can_be_finished(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    pytest.importorskip("optuna", reason="the extra `halving` is not installed")
    curves = [
        [line["top1_error"] for line in log if line["kind"] == "epoch"]
        for log in undisturbed.values()
    ]
    epoch, *errors = next(
        (n, *e) for n, e in enumerate(zip(*curves, strict=True), 1) if e[0] != e[1]
    )
    better_first = LONG.designs if errors[0] < errors[1] else LONG.designs[::-1]
    study = LONG.replace(designs=better_first, halving=Halving(min_epochs=epoch, factor=2))
    for _ in range(2):  # the second time there is nothing to do
        rows = run(study, tmp_path, halving=True)
        assert [row.state for row in rows] == ["done", "pruned"]
    assert rows[1].attempts == ()
    stopped = json.loads((rows[1].folder / "pruned.json").read_text())
    assert (stopped["epoch"], stopped["value"]) == (epoch, max(errors))
    assert (rows[1].run / "last.safetensors").exists()
    assert all_figures(run(study, tmp_path)) == undisturbed


@pytest.mark.slow
def test_a_trial_trains_in_two_processes_and_leaves_none_behind(tmp_path: Path) -> None:
    study = one_design(LONG)
    driver = start_driver(study, tmp_path, processes=2)
    (folder, pid), *_ = wait_for_training(study, tmp_path).items()
    workers = [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    assert len(workers) == 2
    kill(pid)
    wait_for(lambda: not any(map(is_alive, workers)))
    status, _ = end_driver(driver)
    assert status == 0
    environment = json.loads((folder / "run" / "environment.json").read_text())
    assert environment["num_processes"] == 2
    assert trained_steps(folder) == 25 * 4
