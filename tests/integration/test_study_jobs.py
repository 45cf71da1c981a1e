"""What comes out of a study does not depend on how many of its trials run at once."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from small_study import all_figures, run, small_settings, small_study

from resnext.runs.config import RuntimeConfig
from resnext.studies.execution.scheduler import status_rows
from resnext.studies.records.results import Row
from resnext.studies.records.study_folder import read_kept
from resnext.studies.study import Study


def results(rows: list[Row]) -> list[dict[str, Any]]:
    """Return what the trials measured, to the last bit, without the time that it took."""
    return [row.figures.model_dump(exclude={"seconds"}) for row in rows if row.figures]


def mixed_study() -> Study:
    """Return a study in the precision that this machine chooses, bf16 where it has it."""
    runtime = RuntimeConfig(device="cpu")
    return small_study(settings=(small_settings(epochs=1, runtime=runtime),), seeds=(0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("threads", [None, 2])
def test_the_number_of_jobs_changes_no_bit(
    tmp_path: Path, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, found = mixed_study(), []
    for jobs in (1, 3):
        # A person's own variables do not reach the trials either
        monkeypatch.setenv("OMP_NUM_THREADS", str(jobs))
        rows = run(study, tmp_path / str(jobs), jobs=jobs, threads=threads)
        assert [row.state for row in rows] == 4 * ["done"]
        found.append((results(rows), all_figures(rows)))
    assert found[0] == found[1]
    recorded = {row.figures.threads for row in rows if row.figures}
    assert recorded == {threads or 1}


@pytest.mark.slow
def test_a_later_run_and_another_machine_compute_as_the_study_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = mixed_study()
    first = run(study.replace(seeds=(0,)), tmp_path, threads=2, jobs=2)
    kept = read_kept(study, tmp_path)
    assert kept is not None
    assert kept.settings[0].runtime.precision != "auto"
    # Another machine, of more cores, that would choose another precision
    arithmetic = "resnext.studies.records.arithmetic"
    monkeypatch.setattr(f"{arithmetic}._resolved", lambda *_: ("cpu", "fp16"))
    monkeypatch.setattr("resnext.studies.execution.scheduler.num_cores", lambda: 64)
    shutil.rmtree(first[0].run)
    (first[0].folder / "result.json").unlink()
    again = run(study, tmp_path, threads=None, jobs=1)
    assert results(again)[:2] == results(first)
    assert {row.figures.threads for row in again if row.figures} == {2}
    assert results(status_rows(study, tmp_path)) == results(again)
    assert len(list((tmp_path / "trials").iterdir())) == 4
