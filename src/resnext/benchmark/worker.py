"""A contestant's process: prepares one network, then runs it on request.

It speaks JSON lines over standard input and output: it answers a job with `ready` or `error`, every
`turn` with its times, and the end of input with the peak memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from resnext.benchmark.contestant import Job
from resnext.benchmark.inference import Infer, as_numpy, prepare, sample_of, stopwatch_for
from resnext.benchmark.memory import forget_peak, peak_memory_mib
from resnext.errors import ResNeXtError
from resnext.extras import EXTRA_OF, advice
from resnext.turns import Stopwatch

TURN_S = 0.05
_MAX_RUNS = 50


def main() -> None:
    """Serve the parent until it closes the pipe."""
    answers = _claim_stdout()
    job = json.loads(sys.stdin.readline())
    job["shape"] = tuple(job["shape"])
    try:
        infer = prepare(Job(**job))
        stopwatch = stopwatch_for(Job(**job))
        logits_bk = as_numpy(infer())
        duration_s = run_turn(infer, stopwatch=stopwatch)[0][-1]
    except Exception as error:  # a failure of other software is a result, too
        _send(answers, {"error": reason_of(error)})
        return
    _send(answers, {"ready": True, "logits": sample_of(logits_bk[0]).tolist()})
    forget_peak()
    for _ in sys.stdin:
        wall_s, cpu_s = run_turn(infer, warm=duration_s < TURN_S, stopwatch=stopwatch)
        _send(answers, {"wall_s": wall_s, "cpu_s": cpu_s})
    _send(answers, {"peak_memory_mib": peak_memory_mib()})


def run_turn(
    infer: Infer,
    *,
    warm: bool = False,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.process_time,
    stopwatch: Stopwatch | None = None,
) -> tuple[list[float], list[float]]:
    """Run as often as fits in the time of a turn, at least once.

    Args:
        infer: One inference.
        warm: Run once without timing first, as other contestants have evicted the caches, which
            affects fast networks.
        clock: Wall clock in seconds.
        cpu_clock: CPU time of all of this process's threads in seconds.
        stopwatch: Times a run instead of `clock`.

    Returns:
        Wall and CPU time of each run, in seconds.
    """
    if warm:
        infer()
    wall_s: list[float] = []
    cpu_s: list[float] = []
    while not wall_s or (sum(wall_s) < TURN_S and len(wall_s) < _MAX_RUNS):
        start, cpu_start = clock(), cpu_clock()
        seconds = stopwatch(infer) if stopwatch else None
        if seconds is None:
            infer()
            seconds = clock() - start
        wall_s.append(seconds)
        cpu_s.append(cpu_clock() - cpu_start)
    return wall_s, cpu_s


def reason_of(error: Exception) -> str:
    """Describe in one line why a contestant cannot run."""
    if isinstance(error, ResNeXtError):
        return str(error)
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and package in EXTRA_OF:
        return f"needs {advice(package)}"
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"


def _claim_stdout() -> IO[str]:
    """Reserve standard output for answers; redirect output of libraries to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _send(answers: IO[str], message: dict[str, Any]) -> None:
    print(json.dumps(message), file=answers, flush=True)


if __name__ == "__main__":
    main()
