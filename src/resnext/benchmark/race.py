"""One race: contestants take turns, so that changes of the machine's load affect all equally."""

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
# Threads of a runtime spin for about 20 ms after an inference before they sleep; until then
# they would take the cores from the next contestant. A single thread does not spin.
_PAUSE_S = 0.05

Tell = Callable[[str], None]


@dataclass
class Timings:
    """The timings of one contestant.

    Attributes:
        wall_s: Wall time of each run in seconds, one list per round.
        cpu_s: CPU time of each run in seconds, one list per round.
        logits: Its logits for the first image.
        peak_memory_mib: None if unknown.
        reason: Why it did not finish; empty if it finished.
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
    """Start all contestants, run them round by round, and stop them.

    Args:
        jobs: The contestants.
        rounds: Measured rounds.
        tell: Called at each step: once per contestant and once per round.
        start: Starts a contestant.
        sleep: Waits for a number of seconds.

    Returns:
        The timings of each; a contestant that fails drops out, and the others continue.
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
    """Start contestants one by one, and always stop the remaining ones."""
    processes: dict[int, ContestantProcess] = {}
    try:
        for index, job in enumerate(jobs):
            tell(f"starting {job.runtime}")
            free = available_mib()
            if free is not None and free < _MIN_FREE_MIB:
                timings[
                    index
                ].reason = (
                    f"only {free:.0f} MiB of memory were free; use fewer networks or runtimes"
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
