"""Trials of elastic launch: a process of a training is killed, and torchrun starts all again.

    python tests/integration/elastic.py --processes 2 4 --trials 20

prints a line a trial and how many ended with the weights of the run that nobody disturbed.
The tests run a few.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from runs import small_run, tensors_of

from resnext.runs.config import RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import write_config
from resnext.training.checkpoint_file import read_checkpoint

_DEADLINE_S = 300.0


@dataclass(frozen=True)
class Trial:
    """What one disturbed training came to.

    Attributes:
        steps: Optimiser steps in the last checkpoint at each kill, -1 before there was one.
        status: Exit status of torchrun.
        difference: Largest difference from the undisturbed weights, averages and momenta.
    """

    steps: tuple[int, ...]
    status: int
    difference: float


def settings(folder: Path) -> TrainConfig:
    """Write the settings of a training of some seconds into a folder and return them."""
    config = small_run(
        schedule=ScheduleConfig(kind="cosine", epochs=16),
        runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
        ema_decay=0.9,
        checkpoint_minutes=0.001,
    )
    folder.mkdir()
    write_config(folder, config)
    return config


def launch(
    settings_folder: Path, run: Path, processes: int, restarts: int, *, by_torchrun: bool = False
) -> subprocess.Popen[bytes]:
    """Start an elastic training, its output in a file beside the run.

    Args:
        settings_folder: What `settings` wrote.
        run: The run folder.
        processes: Workers.
        restarts: How often they may be started again.
        by_torchrun: Use the very command of docs/cluster.md; each start imports torch anew.
            Otherwise the same agent forks workers that have it.
    """
    torchrun = [
        *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)),
        *("--max-restarts", str(restarts), "--monitor-interval", "0.1"),
        *("--shutdown-timeout", "10", "-m", "resnext", "train"),
        *("--config", str(settings_folder), "--out", str(run), "--quiet"),
    ]
    agent = [str(Path(__file__).with_name("elastic_agent.py")), str(settings_folder), str(run)]
    command = torchrun if by_torchrun else [*agent, str(processes), str(restarts)]
    with run.with_name(run.name + ".txt").open("wb") as output:
        return subprocess.Popen([sys.executable, *command], stdout=output, stderr=output)


def disturb(
    agent: subprocess.Popen[bytes], run: Path, draw: random.Random, *, kills: int
) -> tuple[int, ...]:
    """Kill workers at random moments; return the steps of the last checkpoint at each kill."""
    steps: list[int] = []
    killed: set[int] = set()
    for number in range(kills):
        # Each fourth moment may lie in the starting, the others lie after progress was made
        needed = -1 if number % 4 == 3 else max([0, *steps]) + 1
        while agent.poll() is None and (not _workers(agent.pid) - killed or _step(run) < needed):
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 1.0))
        if not (workers := _workers(agent.pid) - killed):
            break
        steps.append(_step(run))
        os.kill(draw.choice(sorted(workers)), signal.SIGKILL)
        killed |= workers  # the launcher ends the others
    return tuple(steps)


def largest_difference(run: Path, reference: Path) -> float:
    """Return the largest difference of any weight, average or momentum of two runs."""
    found, expected = tensors_of(run), tensors_of(reference)
    assert found.keys() == expected.keys()
    return max(
        float((found[name].double() - expected[name].double()).abs().max()) for name in expected
    )


def _workers(agent: int) -> set[int]:
    """Return the processes that the launcher started."""
    try:
        text = Path(f"/proc/{agent}/task/{agent}/children").read_text()
    except OSError:
        return set()
    return {int(pid) for pid in text.split()}


def _step(run: Path) -> int:
    if not (run / "last.safetensors").exists():
        return -1
    return int(json.loads(read_checkpoint(run / "last.safetensors").position)["total_steps"])


def main() -> None:
    """Run the trials and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--kills", type=int, default=1, help="kills of a trial")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for processes in arguments.processes:
        draw = random.Random(arguments.seed + processes)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            settings(folder / "settings")
            reference = folder / "reference"
            assert launch(folder / "settings", reference, processes, 0).wait(_DEADLINE_S) == 0
            trials = []
            for number in range(arguments.trials):
                run = folder / f"run{number}"
                agent = launch(folder / "settings", run, processes, arguments.kills)
                steps = disturb(agent, run, draw, kills=arguments.kills)
                status = agent.wait(_DEADLINE_S)
                difference = largest_difference(run, reference) if status == 0 else float("inf")
                trials.append(Trial(steps, status, difference))
                print(f"{processes} processes, trial {number + 1}: {trials[-1]}", flush=True)
        equal = sum(trial.difference == 0.0 for trial in trials)
        largest = max(trial.difference for trial in trials)
        kills = sum(len(trial.steps) for trial in trials)
        print(
            f"{processes} processes: {equal} of {len(trials)} trials ended with the same bits "
            f"after {kills} kills; largest difference {largest:g} (torch {torch.__version__})"
        )


if __name__ == "__main__":
    main()
