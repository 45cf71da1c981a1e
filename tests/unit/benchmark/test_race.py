"""Turns: everyone once a round, in changing order; who fails drops out alone."""

from collections import Counter

import pytest
from racing import job, starter

from resnext.benchmark import race as race_module
from resnext.benchmark.contestant import Job
from resnext.benchmark.process import ContestantProcess, DroppedOutError
from resnext.benchmark.race import race
from resnext.turns import WARM_UP


def turns(log: list[str]) -> list[str]:
    return [line.removeprefix("turn ") for line in log if line.startswith("turn")]


def test_the_first_rounds_are_run_and_not_kept() -> None:
    log: list[str] = []
    courses = race([job("eager"), job("timm")], 4, start=starter(log))
    assert Counter(turns(log)) == {"eager": WARM_UP + 4, "timm": WARM_UP + 4}
    kept = [[float(turn)] for turn in range(WARM_UP + 1, WARM_UP + 5)]
    assert [course.wall_s for course in courses] == [kept, kept]
    assert {course.peak_memory_mib for course in courses} == {12.5}


def test_one_that_fails_in_a_turn_is_ended_and_the_others_go_on() -> None:
    log: list[str] = []
    courses = race([job("eager"), job("timm")], 3, start=starter(log, eager=2))
    assert [course.reason for course in courses] == ["out of memory", ""]
    assert turns(log).count("eager") == 2
    assert turns(log).count("timm") == WARM_UP + 3
    assert "stop eager" in log
    assert courses[0].wall_s == []


def test_one_that_cannot_start_is_told_with_its_reason() -> None:
    log: list[str] = []

    def start(contestant: Job) -> ContestantProcess:
        if contestant.runtime == "timm":
            raise DroppedOutError("needs timm")
        return starter(log)(contestant)

    courses = race([job("timm"), job("eager")], 2, start=start)
    assert [course.reason for course in courses] == ["needs timm", ""]


def test_without_memory_for_a_process_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_module, "available_mib", lambda: 100.0)
    log: list[str] = []
    (course,) = race([job()], 2, start=starter(log))
    assert course.reason.startswith("only 100 MiB of memory were free")
    assert log == []


def test_all_processes_are_ended_when_the_user_interrupts() -> None:
    log: list[str] = []

    def interrupt(step: str) -> None:
        if step.startswith("round 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        race([job("eager"), job("timm")], 2, start=starter(log), tell=interrupt)
    assert log[-2:] == ["stop eager", "stop timm"]


@pytest.mark.parametrize(("threads", "pauses"), [(1, 0), (2, 2 * (WARM_UP + 2))])
def test_a_turn_waits_for_the_threads_of_the_one_before(threads: int, pauses: int) -> None:
    waited: list[float] = []
    jobs = [job("eager", threads), job("timm", threads)]
    race(jobs, 2, start=starter([]), sleep=waited.append)
    assert len(waited) == pauses
