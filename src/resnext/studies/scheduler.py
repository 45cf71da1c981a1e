"""Run what is missing of a study, or tell how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from resnext.claim import find_holder
from resnext.errors import ConfigError
from resnext.machine import num_cores
from resnext.studies.executor import Effort, Executor, LocalExecutor
from resnext.studies.halving import Judge, read_cut
from resnext.studies.progress import Progress
from resnext.studies.results import Row, read_row
from resnext.studies.study import Halving, Study
from resnext.studies.trial import create_trial, plan_trials
from resnext.studies.trial_queue import TrialQueue


@dataclass(frozen=True)
class RunOptions:
    """How to run the trials; it does not change what comes out.

    Attributes:
        jobs: Trials at once; None is one on this machine, and all that a cluster has room for.
        threads: CPU threads of one process; None divides the cores.
        processes: Processes of one trial.
        cluster: Address of a Ray cluster, or `auto`; None runs on this machine.
        mode: What a person sees.
        halving: Stop the worse designs early, with the study's settings of it or the default.
            Without it, also those are trained to the end that were stopped before.
        retries: New attempts of a trial that did not finish.
    """

    jobs: int | None = None
    threads: int | None = None
    processes: int = 1
    cluster: str | None = None
    mode: Literal["live", "plain", "quiet"] = "plain"
    halving: bool = False
    retries: int = 1


def run_study(study: Study, root: Path, options: RunOptions) -> list[Row]:
    """Run all trials that are not done.

    Args:
        study: The study.
        root: The folder with the pool of trials.
        options: How many at once, and where.

    Returns:
        All rows of the study, also of the trials that failed or were stopped by halving.

    Raises:
        Interrupted: A signal asked to stop; the trials have saved their state.
        ConfigError: All trials are refused alike, for instance because there are no images.
        RunError: The folder cannot be written.
    """
    for name in ("jobs", "threads", "processes"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ConfigError(f"{name}={value}: give at least 1")
    judge = Judge(study, study.halving or Halving()) if options.halving else None
    trials = plan_trials(study)
    missing = [trial for trial in trials if read_row(trial, root).state != "done"]
    for trial in missing:
        create_trial(trial, root)
    if judge is not None:
        for trial in trials:
            judge.look(trial, trial.folder(root))  # replays what earlier runs have found
    if missing:
        executor = _executor(options)
        with Progress(options.mode, len(trials), len(missing)) as progress:
            num_done = len(trials) - len(missing)
            queue = TrialQueue(missing, root, executor, progress, judge, num_done)
            queue.run(places=options.jobs or executor.places, retries=options.retries)
    return status_rows(study, root)


def status_rows(study: Study, root: Path) -> list[Row]:
    """Return all rows of a study, with those that run, have failed or were stopped told apart."""
    return [_status(read_row(trial, root), study) for trial in plan_trials(study)]


def _status(row: Row, study: Study) -> Row:
    if row.state == "done" or not row.folder.exists():
        return row
    if find_holder(row.folder) is not None:
        return replace(row, state="running")
    if read_cut(row.folder, study) is not None:
        return replace(row, state="pruned")
    has_failed = row.attempts and row.attempts[-1].get("is_last")
    return replace(row, state="failed") if has_failed else row


def _executor(options: RunOptions) -> Executor:
    if options.cluster is not None:
        from resnext.studies.cluster import RayExecutor

        return RayExecutor(Effort(options.threads or 1, options.processes), options.cluster)
    jobs = options.jobs or 1
    threads = options.threads or max(1, num_cores() // (jobs * options.processes))
    return LocalExecutor(Effort(threads, options.processes), jobs)
