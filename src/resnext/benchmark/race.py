"""One race: all contestants in turns, so that a change of the machine's load hits all alike."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from resnext.benchmark.contestant import Job
from resnext.benchmark.memory import available_mib
from resnext.benchmark.process import ContestantProcess, DroppedOutError
from resnext.turns import WARM_UP, order_of

_MIN_FREE_MIB = 1024.0
# Threads of a runtime spin for some 20 ms after an inference before they sleep; until then
# they would take the cores from the next contestant. One thread has nobody to wait for.
_PAUSE_S = 0.05

Tell = Callable[[str], None]


@dataclass
class Timings:
    """How a contestant fared.

    Attributes:
        wall_s: Seconds of each run, a list for each round.
        cpu_s: The same in seconds of the CPU.
        logits: What it computed for the first image.
        peak_memory_mib: None if unknown.
        reason: Why it did not finish; empty if it did.
    """

    wall_s: list[list[float]] = field(default_factory=list)
    cpu_s: list[list[float]] = field(default_factory=list)
    logits: list[float] = field(default_factory=list)
    peak_memory_mib: float | None = None
    reason: str = ""


def race(
    jobs: Sequence[Job],
    rounds: int,
    *,
    tell: Tell = lambda _: None,
    start: Callable[[Job], ContestantProcess] = ContestantProcess,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Timings]:
    """Start all contestants, let them run round by round, and end them.

    Args:
        jobs: The contestants.
        rounds: Measured rounds.
        tell: Is told of each step: one for each contestant, one for each round.
        start: Starts a contestant.
        sleep: Waits for some seconds.

    Returns:
        How each one fared; one that fails drops out, and the others go on.
    """
    timings = [Timings() for _ in jobs]
    with _started(jobs, timings, tell, start) as processes:
        for number in range(WARM_UP + rounds):
            tell(f"round {number + 1} of {WARM_UP + rounds}")
            for index in order_of(number, list(processes)):
                if jobs[index].threads > 1:
                    sleep(_PAUSE_S)
                try:
                    processes[index].turn(counts=number >= WARM_UP)
                except DroppedOutError as error:
                    timings[index].reason = str(error)
                    processes.pop(index).stop()
        for index, racer in processes.items():
            _finish(racer, timings[index])
        processes.clear()
    return timings


@contextlib.contextmanager
def _started(
    jobs: Sequence[Job],
    timings: Sequence[Timings],
    tell: Tell,
    start: Callable[[Job], ContestantProcess],
) -> Iterator[dict[int, ContestantProcess]]:
    """Start one after the other, and end what is left in any case."""
    processes: dict[int, ContestantProcess] = {}
    try:
        for index, job in enumerate(jobs):
            tell(f"starting {job.runtime}")
            free = available_mib()
            if free is not None and free < _MIN_FREE_MIB:
                timings[
                    index
                ].reason = (
                    f"only {free:.0f} MiB of memory were free; name fewer networks or runtimes"
                )
                continue
            try:
                processes[index] = start(job)
            except DroppedOutError as error:
                timings[index].reason = str(error)
        yield processes
    finally:
        for racer in processes.values():
            racer.stop()


def _finish(racer: ContestantProcess, timing: Timings) -> None:
    try:
        timing.peak_memory_mib = racer.finish()
    except DroppedOutError as error:
        timing.reason = str(error)
        return
    timing.wall_s, timing.cpu_s, timing.logits = racer.wall_s, racer.cpu_s, racer.logits
