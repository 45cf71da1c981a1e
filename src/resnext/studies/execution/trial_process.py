"""The process that trains one trial: `python -m resnext.studies.execution.trial_process FOLDER`.

It claims the trial, trains or resumes it, runs the tests, writes the results, and releases the
trial. If its parent dies, it saves its state and exits as on SIGTERM. For its exit status see
`Status`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

from resnext.claim import Claim, take_claim
from resnext.errors import RunError
from resnext.parent import end_with_parent
from resnext.runs.folder import ENVIRONMENT, write_json
from resnext.studies.execution.attempts import Status, guarded
from resnext.studies.execution.processes import train_in_processes, train_run, with_workers
from resnext.studies.records.measured import figures_of, run_test
from resnext.studies.records.results import TestFigures, TrialFigures
from resnext.studies.records.stored import read_stored
from resnext.studies.records.trial import RESULT, RUN, TESTS, TrialSettings, key_of_test, read_trial
from resnext.studies.study import Test


def main(argv: list[str] | None = None) -> int:
    """Train the trial of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, help="processes that decode files")
    parser.add_argument("--watch-stdin", action="store_true", help="exit when stdin closes")
    arguments = parser.parse_args(argv)
    # Before training and after it a signal just ends the process, but gives the claim back.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if arguments.watch_stdin:
        stdin = os.dup(sys.stdin.fileno())
        end_with_parent(partial(os.kill, os.getpid(), signal.SIGTERM), stdin)
    claim = take_claim(arguments.folder, on_lost=_leave_at_once)
    if not isinstance(claim, Claim):
        print(f"held by {claim}", flush=True)
        return Status.HELD
    try:
        return guarded(lambda: _work(claim, arguments))
    finally:
        claim.release()


def _work(claim: Claim, arguments: argparse.Namespace) -> None:
    """Run the missing parts of the trial."""
    folder: Path = arguments.folder
    trial = with_workers(read_trial(folder), arguments.workers)
    if not _is_there(folder / RESULT, TrialFigures):
        _train(folder, trial, arguments.workers)
        if not claim.is_held():
            _leave_at_once()
        write_json(folder / RESULT, figures_of(folder).model_dump())
    for test in trial.tests:
        _test(folder, trial, test)


def _is_there(file: Path, kind: type[TrialFigures | TestFigures]) -> bool:
    """Return whether results exist; damaged ones are measured again."""
    try:
        return read_stored(file, kind) is not None
    except RunError as error:
        print(f"{error}; writing it again", flush=True)
        return False


def _train(folder: Path, trial: TrialSettings, workers: int | None) -> None:
    """Train, or resume from the last checkpoint."""
    run = folder / RUN
    resume = (run / ENVIRONMENT).exists()
    if not resume:
        shutil.rmtree(run, ignore_errors=True)  # stopped before the last file of its beginning
    if trial.processes == 1:
        train_run(folder, trial, resume=resume)
    else:
        train_in_processes(folder, workers, trial.processes, resume=resume)


def _test(folder: Path, trial: TrialSettings, test: Test) -> None:
    file = folder / TESTS / f"{key_of_test(test)}.json"
    if _is_there(file, TestFigures):
        return
    file.parent.mkdir(exist_ok=True)
    write_json(file, run_test(folder / RUN, trial.config, test))


def _leave_at_once() -> None:
    """Exit without writing: another process has taken over the trial."""
    os._exit(Status.CLAIM_LOST)


if __name__ == "__main__":
    sys.exit(main())
