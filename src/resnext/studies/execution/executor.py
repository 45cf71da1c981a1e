"""Runs trials on this machine, each in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from resnext import plugins
from resnext.errors import RunError
from resnext.machine import num_cores, waiting_environment
from resnext.studies.execution.attempts import Status
from resnext.studies.records.arithmetic import thread_environment
from resnext.studies.records.trial import LOG


@dataclass(frozen=True)
class TrialResources:
    """Resources of one trial. Only the number of decoding processes can be chosen freely.

    Attributes:
        threads: CPU threads of each process, from the trial's settings.
        processes: Processes that train together, from the trial's settings.
        workers: Decoding processes for each of them; None lets them choose.
        on_gpu: Whether each process has a GPU.
    """

    threads: int
    processes: int = 1
    workers: int | None = None
    on_gpu: bool = False

    @property
    def arguments(self) -> list[str]:
        """Command-line arguments of `trial_process`."""
        return [] if self.workers is None else [f"--workers={self.workers}"]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of `trial_process`."""
        return thread_environment(self.threads) | plugins.environment()

    @property
    def num_cores(self) -> int:
        """CPU cores that a trial keeps busy."""
        return self.threads * self.processes

    def slots_here(self) -> int:
        """Return how many trials fit on this machine: by cores or GPUs."""
        if self.on_gpu:
            return max(1, len(_visible_gpus()) // self.processes)
        return max(1, num_cores() // self.num_cores)


class Executor(Protocol):
    """Starts trials and reports how they ended.

    Attributes:
        slots: Number of trials that it can run at once.
    """

    slots: int

    def start(self, folder: Path) -> None:
        """Start the trial of a folder.

        Raises:
            RunError: The folder cannot be written.
        """
        ...

    def ended(self) -> list[tuple[Path, int]]:
        """Return the trials that ended since the last call, with their exit status.

        A negative status is the number of the signal that killed the process.
        """
        ...

    def stop(self, folder: Path) -> None:
        """Ask a trial to save and leave."""
        ...

    def kill(self) -> None:
        """End all trials at once."""
        ...


class LocalExecutor:
    """Runs each trial in a process on this machine.

    Each child has its own session, so that Ctrl-C only reaches the parent, and a pipe from the
    parent, whose end of file tells the child that the parent has died.
    """

    def __init__(self, effort: TrialResources, jobs: int) -> None:
        self._effort = effort
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        self._num_oom_kills: dict[Path, int] = {}
        self._taken: dict[Path, int] = {}
        self._gpus = _visible_gpus()
        self.slots = jobs

    def start(self, folder: Path) -> None:
        """Start the trial of a folder."""
        command = [sys.executable, "-m", "resnext.studies.execution.trial_process", str(folder)]
        self._num_oom_kills[folder] = _count_oom_kills()
        with open_log(folder) as log:
            self._running[folder] = subprocess.Popen(
                [*command, *self._effort.arguments, "--watch-stdin"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment(folder),
            )

    def ended(self) -> list[tuple[Path, int]]:
        """Return the trials that ended since the last call, with their exit status."""
        found = []
        for folder, child in list(self._running.items()):
            status = child.poll()
            if status is not None:
                assert child.stdin is not None
                child.stdin.close()
                del self._running[folder]
                self._taken.pop(folder, None)
                before = self._num_oom_kills.pop(folder)
                if status == -signal.SIGKILL and _count_oom_kills() > before:
                    status = _note_oom_kill(folder)
                found.append((folder, status))
        return found

    def stop(self, folder: Path) -> None:
        """Ask a trial to save and leave."""
        self._running[folder].terminate()

    def kill(self) -> None:
        """End all trials at once."""
        for child in self._running.values():
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def _environment(self, folder: Path) -> dict[str, str]:
        """Assign GPUs; if there are more trials than GPUs, they share them."""
        values = os.environ | waiting_environment() | self._effort.environment
        share = self._effort.processes
        num_shares = len(self._gpus) // share
        if self.slots > 1 and num_shares:
            slot = min(set(range(self.slots)) - set(self._taken.values()))
            self._taken[folder] = slot
            first = slot % num_shares * share
            values["CUDA_VISIBLE_DEVICES"] = ",".join(self._gpus[first : first + share])
        return values


def open_log(folder: Path) -> BinaryIO:
    """Open a trial's log to append another attempt.

    Raises:
        RunError: The folder belongs to another user, or cannot be written.
    """
    try:
        return (folder / LOG).open("ab")
    except OSError as error:
        raise RunError(
            f"cannot write into {folder}: {error.strerror}; its owner can make it group-writable "
            "(chmod -R g+w), or choose another --root"
        ) from None


def _count_oom_kills() -> int:
    """Return how many processes the Linux kernel has killed for lack of memory."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def _note_oom_kill(folder: Path) -> int:
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write("killed by the kernel because the machine ran out of memory\n")
    return Status.OUT_OF_MEMORY


def _visible_gpus() -> list[str]:
    """Return the GPUs available to children; empty without nvidia-smi."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False
        )
    except OSError:
        return []
    return [str(number) for number, _ in enumerate(listed.stdout.splitlines())]
