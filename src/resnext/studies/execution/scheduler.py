"""Run the missing trials of a study, or return its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from resnext.data.config import default_workers
from resnext.errors import ConfigError
from resnext.machine import num_cores
from resnext.studies.execution.executor import Executor, LocalExecutor, TrialResources
from resnext.studies.execution.halving import HalvingController
from resnext.studies.execution.progress import Progress
from resnext.studies.execution.settle_tasks import settle_tasks
from resnext.studies.execution.trial_queue import TrialQueue
from resnext.studies.records.arithmetic import (
    DEFAULT_THREADS,
    adopt_arithmetic,
    counted,
    is_study_settled,
    kind_of,
    settle_arithmetic,
)
from resnext.studies.records.results import Row, read_row
from resnext.studies.records.study_folder import read_kept, recall, settle_folder
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Halving, Study


@dataclass(frozen=True)
class RunOptions:
    """How to run the trials.

    Attributes:
        jobs: Trials at once; None fits the cores or GPUs of this machine, or the cluster. It does
            not affect the results.
        threads: CPU threads of one process; None means the number the study was started with, or 1.
            Another number makes different trials.
        processes: Processes of one trial; same rules.
        cluster: Address of a Ray cluster, or `auto`; None means this machine.
        mode: How progress is shown.
        halving: Stop worse designs early, with the study's halving settings or the defaults.
            Without it, trials that were stopped before are trained to the end.
    """

    jobs: int | None = None
    threads: int | None = None
    processes: int | None = None
    cluster: str | None = None
    mode: Literal["live", "plain", "quiet"] = "plain"
    halving: bool = False


def run_study(study: Study, root: Path, options: RunOptions) -> list[Row]:
    """Run all trials that are not done.

    Args:
        study: The study.
        root: The folder with the pool of trials.
        options: How many at once, and where.

    Returns:
        All rows of the study, including trials that failed or were stopped by halving.

    Raises:
        Interrupted: A signal asked to stop; the trials have saved their state.
        ConfigError: All trials are refused for the same reason, for example missing images.
        RunError: The folder cannot be written.
    """
    for name in ("jobs", "threads", "processes"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name}={value}: give at least 1")
    num_unrecorded = _count_unrecorded(study, root)
    study = settle_study(study, root, options)
    settle_folder(study, root)
    judge = HalvingController(study, study.halving or Halving()) if options.halving else None
    trials = plan_trials(study)
    missing = [trial for trial in trials if read_row(trial, root).state != "done"]
    num_done = len(trials) - len(missing)
    if judge is not None:
        for trial in trials:  # replays what earlier runs have found
            judge.look(trial, trial.folder(root))
        for key in {trial.key for trial in trials} - {trial.key for trial in missing}:
            judge.ended(key)
    if missing:
        effort = effort_of(study, options, len(missing))
        executor = _executor(effort, options, len(missing))
        with Progress(options.mode, len(trials), len(missing)) as progress:
            progress.tell(_describe_unrecorded(num_unrecorded))
            if options.cluster is None:
                progress.tell(describe_idle_cores(effort, executor.slots, len(missing)))
            queue = TrialQueue(missing, root, executor, progress, judge, num_done)
            queue.run(executor.slots)
    return status_rows(study, root)


def _count_unrecorded(study: Study, root: Path) -> int:
    """Count finished trials of this study that do not record how they were computed."""
    recalled = recall(study, root)
    if is_study_settled(recalled):
        return 0
    return sum(read_row(trial, root).state == "done" for trial in plan_trials(recalled))


def _describe_unrecorded(number: int) -> str:
    if not number:
        return ""
    return (
        f"{counted(number, 'trial')} of this study did not record threads and precision, which "
        "depended on --jobs; training the study again (the old folders can be removed)"
    )


def settle_study(study: Study, root: Path, options: RunOptions) -> Study:
    """Return a study in which every setting that affects the results is fixed.

    Values recorded in its folder take precedence, then the options, then what this machine or the
    cluster provides.

    Raises:
        ConfigError: The options contradict the recorded values.
        RunError: The folder or the cluster cannot be reached.
    """
    kept = read_kept(study, root)
    study = study if kept is None else adopt_arithmetic(study, kept)
    study = settle_tasks(study)
    on_gpus = None
    if options.cluster is not None and not is_study_settled(study):
        from resnext.studies.execution.cluster import has_gpus

        on_gpus = has_gpus(options.cluster)
    return settle_arithmetic(study, options.threads, options.processes, has_gpus=on_gpus)


def effort_of(study: Study, options: RunOptions, num_missing: int) -> TrialResources:
    """Return the resources of one trial, with decoding processes for this machine."""
    runtimes = [settings.runtime for settings in study.settings]
    effort = TrialResources(
        threads=max(runtime.threads or DEFAULT_THREADS for runtime in runtimes),
        processes=study.processes or 1,
        on_gpu=any(kind_of(runtime.device) == "cuda" for runtime in runtimes),
    )
    if options.cluster is not None:
        return replace(effort, workers=min(effort.threads, default_workers()))
    slots = options.jobs or min(effort.slots_here(), num_missing)
    share = num_cores() // (slots * effort.processes)
    return replace(effort, workers=max(1, min(share, default_workers())))


def describe_idle_cores(effort: TrialResources, num_at_once: int, num_missing: int) -> str:
    """Suggest an option that would use idle cores; empty if there are none or GPUs are used."""
    num_used = min(num_at_once, num_missing) * effort.num_cores
    num_idle = num_cores() - num_used
    if effort.on_gpu or num_idle < effort.num_cores:
        return ""
    idle = f"{num_idle} of {num_cores()} cores are idle"
    if num_at_once < num_missing:
        jobs = min(num_missing, num_cores() // effort.num_cores)
        return f"{idle}: --jobs {jobs} would be faster and would not change the results"
    threads = num_cores() // (num_missing * effort.processes)
    return (
        f"{idle}, as {counted(num_missing, 'trial')} of {counted(effort.threads, 'thread')} "
        f"{'runs' if num_missing == 1 else 'run'}: --threads {threads}, if set when a study "
        "first runs, would be faster, with different rounding"
    )


def status_rows(study: Study, root: Path) -> list[Row]:
    """Return all rows of a study, with the states running, failed and pruned."""
    study = recall(study, root)
    return [read_row(trial, root, study.name) for trial in plan_trials(study)]


def _executor(effort: TrialResources, options: RunOptions, num_missing: int) -> Executor:
    if options.cluster is None:
        return LocalExecutor(effort, options.jobs or min(effort.slots_here(), num_missing))
    from resnext.studies.execution.cluster import RayExecutor

    executor = RayExecutor(effort, options.cluster)
    executor.slots = options.jobs or executor.slots
    return executor
