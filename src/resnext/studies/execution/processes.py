"""One trial in several processes on a machine, one per GPU, launched with `torchrun`.

The process that holds the claim starts the others, which only train. They exit at once when it
dies, before another attempt can start.
"""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.parent import end_with_parent, give_stdin_to_children
from resnext.studies.execution.attempts import Status, guarded

if TYPE_CHECKING:
    from resnext.studies.records.trial import TrialSettings


def train_in_processes(folder: Path, workers: int | None, num: int, *, resume: bool) -> None:
    """Train a trial's run to the end in several processes (DDP).

    Raises:
        Interrupted: A signal asked to stop; the state is saved.
        SystemExit: A process failed; its status is passed on.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    from resnext.training.interrupt import Interrupted

    give_stdin_to_children()
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=num,
        run_id=folder.name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    arguments = ["-m", "resnext.studies.execution.processes", str(folder)]
    arguments += [f"--workers={workers}"] if workers is not None else []
    arguments += ["--resume"] if resume else []
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except SignalException as stop:
        number = int(stop.sigval)
        raise Interrupted(number, f"stopped by {stop.sigval.name}; the state is saved") from None
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        print(f"process {failure.local_rank} ended with status {failure.exitcode}", flush=True)
        raise SystemExit(max(failure.exitcode, int(Status.CRASHED))) from None


def main(argv: list[str] | None = None) -> int:
    """Run one of the training processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args(argv)
    end_with_parent(partial(os._exit, Status.CRASHED), pipe=0)
    return guarded(lambda: _train(arguments.folder, arguments.workers, resume=arguments.resume))


def _train(folder: Path, workers: int | None, *, resume: bool) -> None:
    from resnext.studies.records.trial import read_trial

    train_run(folder, with_workers(read_trial(folder), workers), resume=resume)


def train_run(folder: Path, trial: TrialSettings, *, resume: bool) -> None:
    """Train a trial's run in this process, or resume from its last checkpoint.

    Raises:
        ConfigError: This machine cannot train as the trial specifies.
    """
    from resnext.runs.folder import open_run
    from resnext.runs.runtime import open_runtime
    from resnext.studies.records.machines import check_runtime, note_machine
    from resnext.studies.records.trial import RUN, moved
    from resnext.training.display import Display
    from resnext.training.target import RunTarget
    from resnext.training.train import train

    run, config = folder / RUN, trial.config
    with open_runtime(config.runtime) as runtime:
        check_runtime(config.runtime, trial.processes, runtime)
        if runtime.is_main:
            note_machine(folder, runtime)
        if resume:
            train(moved(open_run(run), config), RunTarget(resume=run), Display("quiet"))
        else:
            train(config, RunTarget(out=run), Display("quiet"))


def with_workers(trial: TrialSettings, workers: int | None) -> TrialSettings:
    """Return a trial's settings with the number of decoding processes for this machine."""
    config = trial.config
    if workers is None or config.data.workers is not None:
        return trial
    return trial.replace(config=config.replace(data=config.data.replace(workers=workers)))


if __name__ == "__main__":
    sys.exit(main())
