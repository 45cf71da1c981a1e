"""One race: all contestants in turns, so that a change of the machine's load hits all alike."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from resnext.benchmark.contestant import Job
from resnext.benchmark.memory import available_mib
from resnext.benchmark.racer import DroppedOutError, Racer
from resnext.turns import WARM_UP, order_of

_LEAST_FREE_MIB = 1024.0
# Threads of a runtime spin for some 20 ms after an inference before they sleep; until then
# they would take the cores from the next contestant. One thread has nobody to wait for.
_PAUSE_S = 0.05

Tell = Callable[[str], None]


@dataclass
class Course:
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
    start: Callable[[Job], Racer] = Racer,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Course]:
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
    courses = [Course() for _ in jobs]
    with _started(jobs, courses, tell, start) as racers:
        for number in range(WARM_UP + rounds):
            tell(f"round {number + 1} of {WARM_UP + rounds}")
            for index in order_of(number, list(racers)):
                if jobs[index].threads > 1:
                    sleep(_PAUSE_S)
                try:
                    racers[index].turn(counts=number >= WARM_UP)
                except DroppedOutError as error:
                    courses[index].reason = str(error)
                    racers.pop(index).stop()
        for index, racer in racers.items():
            _finish(racer, courses[index])
        racers.clear()
    return courses


@contextlib.contextmanager
def _started(
    jobs: Sequence[Job], courses: Sequence[Course], tell: Tell, start: Callable[[Job], Racer]
) -> Iterator[dict[int, Racer]]:
    """Start one after the other, and end what is left in any case."""
    racers: dict[int, Racer] = {}
    try:
        for index, job in enumerate(jobs):
            tell(f"starting {job.runtime}")
            free = available_mib()
            if free is not None and free < _LEAST_FREE_MIB:
                courses[
                    index
                ].reason = (
                    f"only {free:.0f} MiB of memory were free; name fewer networks or runtimes"
                )
                continue
            try:
                racers[index] = start(job)
            except DroppedOutError as error:
                courses[index].reason = str(error)
        yield racers
    finally:
        for racer in racers.values():
            racer.stop()


def _finish(racer: Racer, course: Course) -> None:
    try:
        course.peak_memory_mib = racer.finish()
    except DroppedOutError as error:
        course.reason = str(error)
        return
    course.wall_s, course.cpu_s, course.logits = racer.wall_s, racer.cpu_s, racer.logits
