"""Trials on a Ray cluster: the same process, started by a Ray task."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from resnext.errors import ConfigError
from resnext.machine import waiting_environment
from resnext.ray_cluster import join_cluster
from resnext.studies.execution.attempts import Status
from resnext.studies.execution.executor import TrialResources, open_log
from resnext.studies.records.trial import LOG

_SECONDS_TO_SAVE = 60.0


class RayExecutor:
    """Runs each trial as one Ray task, which starts `trial_process` on its machine.

    The root must be on a disk that all machines share. Ray does not retry: ended trials are
    reported to the scheduler, as on one machine.
    """

    def __init__(self, effort: TrialResources, address: str) -> None:
        """Join a cluster.

        Args:
            effort: Resources of one trial.
            address: Address of the cluster; `auto` finds the cluster of this machine, and `local`
                starts Ray on this machine while the study runs.

        Raises:
            ConfigError: Ray is not installed, or no machine has room for a trial.
            RunError: There is no such cluster.
        """
        self._ray = join_cluster(address)
        self._arguments, self._environment = effort.arguments, effort.environment
        needs = {"CPU": effort.num_cores}
        if effort.on_gpu:
            needs["GPU"] = effort.processes
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        self.slots = sum(_slots(machine, needs) for machine in machines)
        if self.slots == 0:
            asked = " and ".join(f"{number} {_WORDS[kind]}" for kind, number in needs.items())
            raise ConfigError(
                f"--threads {effort.threads} and --processes {effort.processes} need {asked} on "
                f"one machine; the machines of the cluster have {_offer(machines, needs)}"
            )
        self._task = self._ray.remote(
            num_cpus=needs["CPU"], num_gpus=needs.get("GPU", 0), max_retries=0
        )(_run_trial)
        self._running: dict[Any, Path] = {}

    def start(self, folder: Path) -> None:
        """Start the trial of a folder."""
        task = self._task.remote(str(folder.absolute()), self._arguments, self._environment)
        self._running[task] = folder

    def ended(self) -> list[tuple[Path, int]]:
        """Return the trials that ended since the last call, with their exit status."""
        if not self._running:
            return []
        tasks = list(self._running)
        ready, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)
        return [(self._running[task], self._status(task)) for task in ready]

    def stop(self, folder: Path) -> None:
        """Ask a trial to save its state and exit."""
        for task, running in self._running.items():
            if running == folder:
                self._ray.cancel(task, force=False)

    def kill(self) -> None:
        """Kill all trials."""
        for task in self._running:
            self._ray.cancel(task, force=True)

    def _status(self, task: Any) -> int:
        folder = self._running.pop(task)
        errors = self._ray.exceptions
        try:
            return int(self._ray.get(task))
        except errors.TaskCancelledError:
            return 128 + signal.SIGTERM
        except errors.RayTaskError as error:  # the process could not be started there
            with open_log(folder) as log:
                text = f"{error}\nnot started; check that all machines share the disk of --root\n"
                log.write(text.encode())
            return Status.CRASHED
        except errors.RayError:  # the worker or its machine died
            return -signal.SIGKILL


_WORDS = {"CPU": "cores", "GPU": "GPUs"}


def _slots(machine: dict[str, float], needs: dict[str, int]) -> int:
    """Return how many trials fit on a machine."""
    return min(int(machine.get(kind, 0.0) // number) for kind, number in needs.items())


def _offer(machines: list[dict[str, float]], needs: dict[str, int]) -> str:
    each = (
        " and ".join(f"{machine.get(kind, 0.0):.0f} {_WORDS[kind]}" for kind in needs)
        for machine in machines
    )
    return "; ".join(dict.fromkeys(each)) or "none"


def has_gpus(address: str) -> bool:
    """Return whether a cluster has GPUs.

    Raises:
        ConfigError: Ray is not installed.
        RunError: There is no such cluster.
    """
    return bool(join_cluster(address).cluster_resources().get("GPU"))


def _run_trial(folder: str, arguments: list[str], environment: dict[str, str]) -> int:
    """Start the trial's process on this machine and wait for it; runs inside a Ray worker."""
    command = [sys.executable, "-m", "resnext.studies.execution.trial_process", folder, *arguments]
    with (Path(folder) / LOG).open("ab") as log:
        child = subprocess.Popen(
            [*command, "--watch-stdin"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | waiting_environment() | environment,
        )
    try:
        return child.wait()
    except KeyboardInterrupt:  # Ray's way to cancel a task
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(_SECONDS_TO_SAVE)
        child.kill()
        return child.wait()
