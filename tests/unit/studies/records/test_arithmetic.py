from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from made_study import made_figures, made_row, made_study

from resnext.errors import ConfigError, RunError
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.studies.execution import scheduler
from resnext.studies.execution.executor import TrialResources
from resnext.studies.execution.scheduler import (
    RunOptions,
    describe_idle_cores,
    effort_of,
    settle_study,
)
from resnext.studies.records.arithmetic import (
    adopt_arithmetic,
    describe_arithmetic,
    describe_instructions,
    is_settled,
    is_study_settled,
    settle_arithmetic,
    thread_environment,
)
from resnext.studies.records.machines import (
    MACHINES,
    TrialMachine,
    check_runtime,
    note_machine,
    read_machines,
)
from resnext.studies.records.provenance import find_mixtures, trace
from resnext.studies.records.study_folder import read_kept, recall, settle_folder
from resnext.studies.records.trial import plan_trials
from resnext.studies.report.files import write_report
from resnext.studies.study import Study

SETTLED = RuntimeConfig(device="cpu", precision="bf16", threads=1)


def settled_study(**changes: Any) -> Study:
    return made_study(settings=(TrainConfig(runtime=SETTLED),), processes=1, **changes)


def keys(study: Study) -> list[str]:
    return [trial.key for trial in plan_trials(study)]


def test_a_study_is_settled_to_one_thread_and_what_this_machine_has() -> None:
    study = settle_arithmetic(made_study())
    runtime = study.settings[0].runtime
    assert is_study_settled(study)
    assert (runtime.threads, study.processes) == (1, 1)
    assert "auto" not in (runtime.device, runtime.precision)
    assert settle_arithmetic(study) == study
    (told,) = describe_arithmetic(plan_trials(study))
    assert told == f"digits: {runtime.device}, {runtime.precision}, 1 thread, 1 process"


def test_what_is_open_makes_other_trials_on_other_machines_and_what_is_settled_does_not() -> None:
    study = made_study()
    on_gpus = settle_arithmetic(study, has_gpus=True)
    assert on_gpus.settings[0].runtime.device == "cuda"
    assert on_gpus.settings[0].runtime.precision == "bf16"
    assert set(keys(on_gpus)).isdisjoint(keys(settle_arithmetic(study, has_gpus=False)))
    settled = settled_study()
    assert keys(settle_arithmetic(settled, has_gpus=True)) == keys(settled)


@pytest.mark.parametrize("name", ["layout", "compile", "merge_groups"])
def test_a_study_takes_no_choice_by_speed(name: str) -> None:
    runtime = SETTLED.replace(**{name: "auto"})
    assert not is_settled(runtime)
    study = made_study(settings=(TrainConfig(runtime=runtime),))
    with pytest.raises(ConfigError, match="must compute the same way"):
        settle_arithmetic(study)


@pytest.mark.parametrize("change", [{"threads": 2}, {"processes": 2}])
def test_threads_and_processes_make_other_trials(change: dict[str, Any]) -> None:
    study = made_study()
    assert set(keys(settle_arithmetic(study))).isdisjoint(keys(settle_arithmetic(study, **change)))


@pytest.mark.parametrize("jobs", [1, 2, 7, None])
@pytest.mark.parametrize("cores", [1, 8])
def test_how_many_run_at_once_and_the_cores_change_no_trial(
    jobs: int | None, cores: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(scheduler, "num_cores", lambda: cores)
    study = settle_study(settled_study(), tmp_path, RunOptions(jobs=jobs))
    effort = effort_of(study, RunOptions(jobs=jobs), 9)
    assert keys(study) == keys(settled_study())
    assert (effort.threads, effort.processes, effort.environment["OMP_NUM_THREADS"]) == (1, 1, "1")


def test_a_study_keeps_what_it_was_begun_with(tmp_path: Path) -> None:
    begun = settle_study(made_study(), tmp_path, RunOptions(threads=3))
    settle_folder(begun, tmp_path)
    assert read_kept(begun, tmp_path) == begun
    settle_folder(made_study(), tmp_path)  # as a program does that knows only what it asked for
    assert read_kept(begun, tmp_path) == begun
    assert recall(made_study(), tmp_path) == begun
    assert settle_study(made_study(), tmp_path, RunOptions()) == begun
    more_seeds = made_study(seeds=(0, 1, 2, 3))
    assert set(keys(begun)) < set(keys(settle_study(more_seeds, tmp_path, RunOptions())))
    message = "threads=1: made was started with 3, .* leave out --threads"
    with pytest.raises(ConfigError, match=message):
        settle_study(made_study(), tmp_path, RunOptions(threads=1))
    with pytest.raises(ConfigError, match="processes=2: made was started with 1"):
        settle_study(made_study(), tmp_path, RunOptions(processes=2))


def test_a_study_from_before_keeps_its_trials_for_its_report_until_it_runs(tmp_path: Path) -> None:
    old = made_study()
    settle_folder(old, tmp_path)
    before = keys(old)
    assert keys(recall(made_study(), tmp_path)) == before
    settle_folder(recall(made_study(), tmp_path), tmp_path)  # as a report does
    assert keys(recall(made_study(), tmp_path)) == before
    now = settle_study(made_study(), tmp_path, RunOptions())
    settle_folder(now, tmp_path)
    assert keys(recall(made_study(), tmp_path)) == keys(now) != before


def test_other_settings_than_the_recorded_ones_are_another_study(tmp_path: Path) -> None:
    settle_folder(settled_study(), tmp_path)
    fp32 = SETTLED.replace(precision="fp32")
    with pytest.raises(RunError, match="other settings"):
        settle_folder(
            settle_study(made_study(settings=(TrainConfig(runtime=fp32),)), tmp_path, RunOptions()),
            tmp_path,
        )


def test_only_what_is_open_is_adopted() -> None:
    asked = made_study(settings=(TrainConfig(runtime=RuntimeConfig(precision="fp32")),))
    runtime = adopt_arithmetic(asked, settled_study()).settings[0].runtime
    assert (runtime.device, runtime.precision, runtime.threads) == ("cpu", "fp32", 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precision": "fp32"}, "precision torch.float32, .* torch.bfloat16"),
        ({"device": "cuda"}, "device cuda, .* cpu"),
        ({"threads": 99}, "threads 99"),
    ],
)
def test_a_machine_that_would_compute_otherwise_refuses_a_trial(
    change: dict[str, Any], message: str
) -> None:
    runtime = Runtime(torch.device("cpu"), torch.bfloat16)
    asked = SETTLED.replace(threads=torch.get_num_threads())
    check_runtime(asked, 1, runtime)
    with pytest.raises(ConfigError, match=message):
        check_runtime(asked.replace(**change), 1, runtime)
    with pytest.raises(ConfigError, match=r"processes 2, .* 1"):
        check_runtime(asked, 2, runtime)


def test_every_thread_pool_has_the_size_that_the_trial_says() -> None:
    values = thread_environment(3)
    assert {values["OMP_NUM_THREADS"], values["MKL_NUM_THREADS"]} == {"3"}
    assert {values["OMP_DYNAMIC"], values["MKL_DYNAMIC"]} == {"FALSE"}


def test_chosen_instructions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ONEDNN" not in describe_instructions()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert describe_instructions().endswith("ONEDNN_MAX_CPU_ISA=AVX2")


def test_each_attempt_tells_where_it_computes(tmp_path: Path) -> None:
    runtime = Runtime(torch.device("cpu"), torch.bfloat16)
    for _ in range(2):
        note_machine(tmp_path, runtime)
    (machine,) = read_machines(tmp_path)
    assert (machine.device, machine.precision) == ("cpu", "bfloat16")
    other = machine.model_copy(update={"cpu": "another"})
    with (tmp_path / MACHINES).open("a") as file:
        file.write('{"torn": \n' + json.dumps(other.model_dump()) + "\n")
    assert read_machines(tmp_path) == [machine, other]
    assert str(TrialMachine(cpu="a", device="cpu", precision="", threads=2)) == "a, 2 threads"


@pytest.mark.parametrize(
    ("at_once", "missing", "threads", "told"),
    [
        (8, 8, 1, ""),
        (8, 20, 1, ""),
        (2, 2, 1, "6 of 8 cores are idle, as 2 trials of 1 thread run: --threads 4"),
        (1, 1, 4, "4 of 8 cores are idle, as 1 trial of 4 threads runs: --threads 8"),
        (
            2,
            20,
            2,
            "4 of 8 cores are idle: --jobs 4 would be faster and would not change the results",
        ),
        (2, 3, 3, ""),
    ],
)
def test_idle_cores_are_told_with_the_option_that_uses_them(
    at_once: int, missing: int, threads: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "num_cores", lambda: 8)
    found = describe_idle_cores(TrialResources(threads=threads), at_once, missing)
    assert found.startswith(told)
    assert bool(found) == bool(told)
    assert describe_idle_cores(TrialResources(threads=threads, on_gpu=True), at_once, missing) == ""


def test_trials_that_are_compared_but_ran_differently_are_told(tmp_path: Path) -> None:
    study = settled_study(seeds=(0, 1))
    computed = {"threads": 1, "processes": 1, "instructions": "AVX512", "torch": "2.14"}
    rows = [
        made_row(trial, 5.0, figures=made_figures(trial, 5.0, **computed))
        for trial in plan_trials(study)
    ]
    assert find_mixtures(study, rows) == []
    assert trace(study, rows).is_repeatable
    trial = rows[0].trial
    odd = {"machine": "another, 2 threads", "precision": "float32", "torch": "2.13"}
    rows[0] = made_row(trial, 5.0, figures=made_figures(trial, 5.0, **computed | odd))
    found = find_mixtures(study, rows)
    assert len(found) == 3
    assert found[0] == (
        "trials on digits ran with different machines: made-up processor, 2 threads (3); "
        "another, 2 threads (1)"
    )
    write_report(study, rows, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("Not all trials were computed the same way") == 3
    assert "digits: cpu, bf16, 1 thread, 1 process" in page
    assert "do not depend on how many trials ran at once (--jobs)" in page
    assert "do not depend on how many trials" in (tmp_path / "results.md").read_text()


def test_trials_that_did_not_record_their_threads_are_told(tmp_path: Path) -> None:
    study = made_study()
    rows = [made_row(trial, 5.0) for trial in plan_trials(study)]
    write_report(study, rows, tmp_path)
    assert "their numbers depended on how many trials ran" in (tmp_path / "report.html").read_text()


def test_a_persons_variables_do_not_change_the_threads_of_a_trial() -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "7"} | TrialResources(threads=2).environment
    assert environment["OMP_NUM_THREADS"] == "2"
