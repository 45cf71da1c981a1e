"""Contestants and courses made up for tests: what they take is written down, not measured."""

from collections.abc import Callable

from resnext.benchmark.contestant import Job
from resnext.benchmark.process import ContestantProcess, DroppedOutError
from resnext.benchmark.race import Timings


def job(runtime: str = "eager", threads: int = 1) -> Job:
    return Job(runtime, "", "resnet50", 10, (3, 8, 8), batch=2, threads=threads)


def course(rounds_s: list[list[float]], logits: tuple[float, ...] = (1.0, -2.0)) -> Timings:
    return Timings(wall_s=rounds_s, cpu_s=rounds_s, logits=list(logits), peak_memory_mib=100.0)


class MadeRacer(ContestantProcess):
    """A contestant without a process; it drops out in a turn of its choice."""

    def __init__(self, job: Job, log: list[str], drops_out_in: int | None = None) -> None:
        self.job, self.log, self.drops_out_in = job, log, drops_out_in
        self.wall_s, self.cpu_s, self.logits = [], [], [1.0]
        self.turns = 0
        log.append(f"start {job.runtime}")

    def turn(self, *, counts: bool) -> None:
        self.log.append(f"turn {self.job.runtime}")
        self.turns += 1
        if self.turns == self.drops_out_in:
            raise DroppedOutError("out of memory")
        if counts:
            self.wall_s.append([float(self.turns)])
            self.cpu_s.append([float(self.turns)])

    def finish(self) -> float | None:
        self.log.append(f"finish {self.job.runtime}")
        return 12.5

    def stop(self) -> None:
        self.log.append(f"stop {self.job.runtime}")


def starter(log: list[str], **drops_out_in: int) -> Callable[[Job], ContestantProcess]:
    """Return what starts contestants; `eager=1` lets that one drop out in its first turn."""
    return lambda job: MadeRacer(job, log, drops_out_in.get(job.runtime))
