"""The parent's side of a contestant: start, turns and end of its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, Any

from resnext.benchmark.contestant import Job

WORKER = ("-m", "resnext.benchmark.worker")


class DroppedOutError(Exception):
    """A contestant cannot run, or its process has ended; the message says why."""


class ContestantProcess:
    """One contestant in its own process.

    In one process the runtimes would disturb each other: idle threads of one spin and take cores
    from the next, and memory could not be attributed.

    Attributes:
        logits: Its logits for the first image.
        wall_s: Seconds of each run, one list per round.
        cpu_s: The same in CPU seconds.
    """

    def __init__(self, job: Job, command: Sequence[str] = WORKER) -> None:
        """Start the process and wait until it is ready.

        Raises:
            DroppedOutError: It cannot run.
        """
        threads = str(job.threads)
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `stop` closes it
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        )
        self.wall_s: list[list[float]] = []
        self.cpu_s: list[list[float]] = []
        try:
            self.logits: list[float] = self._ask(json.dumps(job.__dict__))["logits"]
        except BaseException:
            self.stop()
            raise

    def turn(self, *, counts: bool) -> None:
        """Run it once, or as often as fits into a turn.

        Args:
            counts: Keep the times; False for warm-up rounds.

        Raises:
            DroppedOutError: Its process has ended.
        """
        answer = self._ask("turn")
        if counts:
            self.wall_s.append(answer["wall_s"])
            self.cpu_s.append(answer["cpu_s"])

    def finish(self) -> float | None:
        """Stop the process, and return its peak memory in MiB, None if unknown.

        Raises:
            DroppedOutError: It has already ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            peak: float | None = self._answer()["peak_memory_mib"]
        finally:
            self.stop()
        return peak

    def stop(self) -> None:
        """Kill the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:  # it has not read the last message
                continue

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise DroppedOutError(self._end()) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise DroppedOutError(self._end())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DroppedOutError(answer["error"])
        return answer

    def _end(self) -> str:
        """Describe how the process ended, with its last output."""
        status = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return f"its process ended with {how}" + "".join(f": {line}" for line in said)
