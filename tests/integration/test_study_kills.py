"""Studies from the command line: whole, interrupted, killed, shared, with bad trials."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from studies import attempts, figures, finish, start, trial_processes, wait_until, write_study


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the study once in peace."""
    folder = tmp_path_factory.mktemp("undisturbed")
    status, output = finish(start(write_study(folder), folder, "--threads", "1"))
    assert status == 0, output
    return figures(folder)


def test_an_interrupted_study_saves_says_how_to_go_on_and_does_only_what_is_missing(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    file = write_study(tmp_path)
    child = start(file, tmp_path, "--threads", "1")
    wait_until(lambda: list(tmp_path.glob("trials/*/result.json")), child)
    wait_until(lambda: len(list(tmp_path.glob("trials/*/run/metrics.jsonl"))) > 1, child)
    child.send_signal(signal.SIGINT)
    status, output = finish(child)
    assert status == 128 + signal.SIGINT
    assert "go on with: resnext study run" in output
    assert trial_processes(tmp_path) == []
    assert not (tmp_path / "tiny" / "report.html").exists()
    done = list(tmp_path.glob("trials/*/result.json"))
    written = {path: path.stat().st_mtime_ns for path in done}
    status, output = finish(start(file, tmp_path, "--threads", "1"))
    assert status == 0, output
    assert f"{len(done)} done already" in output
    assert {path: path.stat().st_mtime_ns for path in done} == written
    assert figures(tmp_path) == undisturbed
    assert (tmp_path / "tiny" / "report.html").exists()


def test_a_killed_trial_is_tried_again_and_comes_out_the_same(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    child = start(write_study(tmp_path), tmp_path, "--threads", "1")
    wait_until(lambda: list(tmp_path.glob("trials/*/run/last.safetensors")), child)
    (victim,) = trial_processes(tmp_path)
    os.kill(victim, signal.SIGKILL)
    status, output = finish(child)
    assert status == 0, output
    assert attempts(tmp_path) == ["killed"]
    assert "(killed)" in output
    assert figures(tmp_path) == undisturbed


def test_a_killed_driver_takes_its_trials_with_it_and_the_next_one_goes_on(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    file = write_study(tmp_path)
    child = start(file, tmp_path, "--threads", "1", "--jobs", "2")
    wait_until(lambda: len(list(tmp_path.glob("trials/*/run/metrics.jsonl"))) == 2, child)
    child.kill()
    child.communicate()
    other = start(file, tmp_path, "--threads", "1")  # the orphans may still be saving
    status, output = finish(other)
    assert status == 0, output
    assert figures(tmp_path) == undisturbed
    assert attempts(tmp_path) == []


def test_two_drivers_share_the_trials_and_train_each_once(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    file = write_study(tmp_path)
    children = [start(file, tmp_path, "--threads", "1") for _ in range(2)]
    outputs = [finish(child) for child in children]
    assert [status for status, _ in outputs] == [0, 0], outputs
    assert figures(tmp_path) == undisturbed
    for folder in (tmp_path / "trials").iterdir():
        finished = (folder / "run" / "metrics.jsonl").read_text().count('"epoch", "step"')
        assert finished == 2


def test_a_trial_that_diverges_is_retried_recorded_and_does_not_stop_the_study(
    tmp_path: Path,
) -> None:
    values = "{schedule.epochs: 1, data.num_train: 200, optim.lr: 1.0e+30, schedule.warmup: 0.0}"
    file = write_study(tmp_path, set=values, seeds="[0]")
    status, output = finish(start(file, tmp_path, "--threads", "1"))
    assert status == 1
    assert attempts(tmp_path) == ["diverged"] * 4  # two trials, each tried twice
    assert output.count("failed") >= 2
    assert "Traceback" not in output
    with (tmp_path / "tiny" / "results.csv").open() as rows:
        assert [row["state"] for row in csv.DictReader(rows)] == ["failed", "failed"]


def test_a_mistake_that_hits_every_trial_stops_the_study_with_one_message(tmp_path: Path) -> None:
    file = write_study(tmp_path, set="{schedule.epochs: 1, data.num_train: 5000}")
    status, output = finish(start(file, tmp_path, "--threads", "1"))
    assert status == 2
    assert output.count("num_train=5000") == 1
    assert "Traceback" not in output


def test_studies_share_identical_trials_and_add_their_tests(tmp_path: Path) -> None:
    first = write_study(tmp_path, seeds="[0]")
    assert finish(start(first, tmp_path, "--threads", "1"))[0] == 0
    results = sorted(tmp_path.glob("trials/*/result.json"))
    written = [path.stat().st_mtime_ns for path in results]
    second = write_study(tmp_path, name="other", seeds="[0]")
    status, output = finish(start(second, tmp_path, "--json", "--quiet"))
    assert status == 0, output
    assert json.loads(output)["states"] == {"done": 2}
    assert [path.stat().st_mtime_ns for path in results] == written


@pytest.mark.slow
def test_ray_gives_row_for_row_the_same_figures(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    child = start(write_study(tmp_path), tmp_path, "--cluster", "local", "--threads", "1")
    wait_until(lambda: list(tmp_path.glob("trials/*/run/last.safetensors")), child)
    victim = trial_processes(tmp_path)[0]
    worker = int(Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    status, output = finish(child)
    assert status == 0, output
    assert set(attempts(tmp_path)) <= {"killed"}
    assert attempts(tmp_path)
    assert figures(tmp_path) == undisturbed
