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
import subprocess
import sys
import threading
import traceback
from enum import IntEnum
from pathlib import Path

from resnext.errors import ResNeXtError, TrainingError
from resnext.studies.claim import Claim, take_claim
from resnext.studies.measured import figures_of, run_test
from resnext.studies.study import Test
from resnext.studies.trial import RESULT, RUN, TESTS, key_of_test, read_trial
from resnext.training.config import TrainConfig
from resnext.training.run_folder import CONFIG, open_run, write_config, write_json


class Status(IntEnum):
    """Exit status; 128 + N when signal N ended it and the state was saved."""

    DONE = 0
    CRASHED = 1
    REFUSED = 2
    DIVERGED = 3
    OUT_OF_MEMORY = 4
    CLAIM_LOST = 5
    HELD = 75


def main(argv: list[str] | None = None) -> int:
    """Train the trial of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--watch-stdin", action="store_true", help="leave when stdin closes")
    arguments = parser.parse_args(argv)
    if arguments.watch_stdin:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    claim = take_claim(arguments.folder, on_lost=lambda: os._exit(Status.CLAIM_LOST))
    if not isinstance(claim, Claim):
        print(f"held by {claim}", flush=True)
        return Status.HELD
    try:
        return _guarded(arguments.folder, arguments.threads, arguments.processes)
    finally:
        claim.release()


def _guarded(folder: Path, threads: int | None, processes: int) -> int:
    """Turn what can go wrong into an exit status and a last line of the log."""
    from resnext.training.interrupt import Interrupted

    try:
        _work(folder, threads, processes)
    except Interrupted as stop:
        print(stop, flush=True)
        return 128 + stop.signal_number
    except TrainingError as error:
        print(error, flush=True)
        return Status.DIVERGED
    except ResNeXtError as error:
        print(error, flush=True)
        return Status.REFUSED
    except (MemoryError, RuntimeError) as error:
        traceback.print_exc()
        return Status.OUT_OF_MEMORY if _is_memory(error) else Status.CRASHED
    return Status.DONE


def _is_memory(error: Exception) -> bool:
    """Tell a lack of memory; torch's allocator on the CPU raises a plain RuntimeError."""
    import torch

    texts = ("DefaultCPUAllocator", "can't allocate memory", "out of memory")
    is_named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return is_named or any(text in str(error) for text in texts)


def _work(folder: Path, threads: int | None, processes: int) -> None:
    config, tests = read_trial(folder)
    config = config.replace(runtime=config.runtime.replace(threads=threads))
    if not (folder / RESULT).exists():
        (_train if processes == 1 else _train_in_processes)(folder, config, processes)
        write_json(folder / RESULT, figures_of(folder / RUN).model_dump())
    for test in tests:
        _test(folder, config, test)


def _train(folder: Path, config: TrainConfig, _: int) -> None:
    """Train, or go on from the last checkpoint."""
    from resnext.training.display import Display
    from resnext.training.train import Target, train

    run = folder / RUN
    if (run / CONFIG).exists():
        stored = open_run(run)
        config = stored.replace(runtime=config.runtime)
        train(config, Target(resume=run), Display("quiet"))
        return
    shutil.rmtree(run, ignore_errors=True)  # stopped before its settings were written
    train(config, Target(out=run), Display("quiet"))


def _train_in_processes(folder: Path, config: TrainConfig, processes: int) -> None:
    """Train with several processes of this machine (DDP), one for each GPU."""
    run, settings = folder / RUN, folder / "processes.yaml"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    verb = [f"--nproc-per-node={processes}", "-m", "resnext", "train", "--quiet"]
    if (run / CONFIG).exists():
        verb += ["--resume", str(run)]
    else:
        shutil.rmtree(run, ignore_errors=True)
        write_config(settings, config)
        verb += ["--config", str(settings), "--out", str(run)]
    child = subprocess.Popen([*launcher, *verb])
    previous = signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    status = child.wait()
    signal.signal(signal.SIGTERM, previous)
    if status != 0:
        raise RuntimeError(f"the {processes} processes ended with status {status}; see above")


def _test(folder: Path, config: TrainConfig, test: Test) -> None:
    file = folder / TESTS / f"{key_of_test(test)}.json"
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True)
    write_json(file, run_test(folder / RUN, config, test))


def _leave_with_parent() -> None:
    """Wait for the end of stdin, which comes when the process that started this one is gone."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
