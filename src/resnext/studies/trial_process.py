"""The process that trains one trial: `python -m resnext.studies.trial_process FOLDER`.

It claims the trial, trains or goes on, runs the tests, writes the figures, and gives the trial
back. When whoever started it dies, it saves and leaves as by SIGTERM. Its exit status tells how
it went; see `Status`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from resnext.claim import Claim, take_claim
from resnext.studies.attempts import Status, guarded
from resnext.studies.measured import figures_of, run_test
from resnext.studies.processes import train_in_processes, train_run, with_threads
from resnext.studies.study import Test
from resnext.studies.trial import RESULT, RUN, TESTS, key_of_test, read_trial
from resnext.training.config import TrainConfig
from resnext.training.run_folder import ENVIRONMENT, write_json


def main(argv: list[str] | None = None) -> int:
    """Train the trial of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--watch-stdin", action="store_true", help="leave when stdin closes")
    arguments = parser.parse_args(argv)
    # Before training and after it a signal just ends the process, but gives the claim back.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if arguments.watch_stdin:
        stdin = os.dup(sys.stdin.fileno())
        threading.Thread(target=_leave_with_parent, args=(stdin,), daemon=True).start()
    claim = take_claim(arguments.folder, on_lost=_leave_at_once)
    if not isinstance(claim, Claim):
        print(f"held by {claim}", flush=True)
        return Status.HELD
    try:
        return guarded(lambda: _work(claim, arguments))
    finally:
        claim.release()


def _work(claim: Claim, arguments: argparse.Namespace) -> None:
    """Do what is missing of the trial."""
    folder: Path = arguments.folder
    config, tests = read_trial(folder)
    config = with_threads(config, arguments.threads)
    if not (folder / RESULT).exists():
        _train(folder, config, arguments.processes)
        if not claim.is_held():
            _leave_at_once()
        write_json(folder / RESULT, figures_of(folder / RUN).model_dump())
    for test in tests:
        _test(folder, config, test)


def _train(folder: Path, config: TrainConfig, processes: int) -> None:
    """Train, or go on from the last checkpoint."""
    run = folder / RUN
    resume = (run / ENVIRONMENT).exists()
    if not resume:
        shutil.rmtree(run, ignore_errors=True)  # stopped before the last file of its beginning
    if processes == 1:
        train_run(folder, config, resume=resume)
    else:
        train_in_processes(folder, config.runtime.threads, processes, resume=resume)


def _test(folder: Path, config: TrainConfig, test: Test) -> None:
    file = folder / TESTS / f"{key_of_test(test)}.json"
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True)
    write_json(file, run_test(folder / RUN, config, test))


def _leave_with_parent(stdin: int) -> None:
    """Wait for the end of stdin, which comes when the process that started this one is gone."""
    while os.read(stdin, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _leave_at_once() -> None:
    """Write nothing more: another process has taken the trial over."""
    os._exit(Status.CLAIM_LOST)


if __name__ == "__main__":
    sys.exit(main())
