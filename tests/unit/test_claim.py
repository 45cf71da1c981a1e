import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from resnext import claim as claims
from resnext.claim import Claim, Holder, find_holder, take_claim

NUM_ROUNDS, NUM_TAKERS = 40, 8


def nothing() -> None:
    pass


def take(folder: Path) -> Claim:
    taken = take_claim(folder, nothing)
    assert isinstance(taken, Claim)
    return taken


def write_claim(folder: Path, *, seconds_ago: float = 0.0, **changes: object) -> Path:
    """Write the first claim as another process would have."""
    values = {"host": "other", "pid": 1, "system": "other boot", "started": "1"} | changes
    path = folder / "claim-000001"
    path.write_text(json.dumps(values))
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))
    return path


def test_one_of_many_that_try_at_once_gets_the_claim(tmp_path: Path) -> None:
    for number in range(NUM_ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        barrier = threading.Barrier(NUM_TAKERS)
        taken: list[Claim | Holder] = []

        def try_once(folder: Path = folder, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            taken.append(take_claim(folder, nothing))  # noqa: B023 - joined in this round

        threads = [threading.Thread(target=try_once) for _ in range(NUM_TAKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [claim for claim in taken if isinstance(claim, Claim)]
        assert len(winners) == 1
        assert winners[0].is_held()
        winners[0].release()


def test_one_of_many_takes_over_from_a_dead_process(tmp_path: Path) -> None:
    write_claim(tmp_path, seconds_ago=1000)
    barrier = threading.Barrier(NUM_TAKERS)
    taken: list[Claim | Holder] = []

    def try_once() -> None:
        barrier.wait()
        taken.append(take_claim(tmp_path, nothing))

    threads = [threading.Thread(target=try_once) for _ in range(NUM_TAKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = (claim for claim in taken if isinstance(claim, Claim))
    winner.release()


def test_a_claim_that_another_made_since_the_look_is_not_overruled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = claims._holder_of

    def slow_look(folder: Path, number: int) -> Holder | None:
        found = look(folder, number)
        if number == 0:
            write_claim(tmp_path)  # the other one is faster
        return found

    monkeypatch.setattr(claims, "_holder_of", slow_look)
    assert not isinstance(take_claim(tmp_path, nothing), Claim)


def test_a_claim_names_its_holder_and_is_free_after_its_release(tmp_path: Path) -> None:
    assert find_holder(tmp_path) is None
    first = take(tmp_path)
    holder = take_claim(tmp_path, nothing)
    assert isinstance(holder, Holder)
    assert holder == find_holder(tmp_path)
    assert holder.pid == os.getpid()
    first.release()
    assert find_holder(tmp_path) is None
    second = take(tmp_path)
    assert not first.is_held()
    second.release()


def test_a_killed_process_of_this_machine_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from resnext.claim import take_claim\n"
        "take_claim(pathlib.Path(sys.argv[1]), lambda: None); print('taken', flush=True)\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "taken\n"
    holder = find_holder(tmp_path)
    assert holder is not None
    assert holder.pid == child.pid
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert find_holder(tmp_path) is None  # also while only its remains are left
    child.stdout.close()
    child.wait()
    take(tmp_path).release()


def test_another_process_of_the_same_number_holds_nothing(tmp_path: Path) -> None:
    write_claim(tmp_path, pid=os.getpid(), system=claims._system(), started="1")
    assert find_holder(tmp_path) is None


@pytest.mark.parametrize("system", ["other boot", ""])
def test_another_machine_holds_its_claim_as_long_as_it_beats(tmp_path: Path, system: str) -> None:
    write_claim(tmp_path, system=system, seconds_ago=30)
    holder = find_holder(tmp_path)
    assert holder is not None
    assert holder.host == "other"
    write_claim(tmp_path, system=system, seconds_ago=1000)
    assert find_holder(tmp_path) is None


@pytest.mark.parametrize(("seconds_ago", "is_held"), [(30, True), (1000, False)])
def test_who_may_only_read_sees_the_holder_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds_ago: float, is_held: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    write_claim(tmp_path, seconds_ago=seconds_ago)
    monkeypatch.setattr(Path, "touch", refuse)
    assert (find_holder(tmp_path) is not None) == is_held


def test_where_the_system_has_no_name_only_the_beats_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_system", lambda: "")
    write_claim(tmp_path, system="", started="", seconds_ago=1000)
    assert find_holder(tmp_path) is None


def test_a_claim_that_is_being_written_is_held(tmp_path: Path) -> None:
    (tmp_path / "claim-000001").touch()
    assert find_holder(tmp_path) is not None
    assert not isinstance(take_claim(tmp_path, nothing), Claim)


def test_a_claim_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_SECONDS_BETWEEN_BEATS", 0.01)
    claim = take(tmp_path)
    path = tmp_path / "claim-000001"
    os.utime(path, (0, 0))
    end = time.monotonic() + 30
    while path.stat().st_mtime < 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert path.stat().st_mtime > 1
    claim.release()


def test_whoever_was_taken_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_SECONDS_BETWEEN_BEATS", 0.01)
    lost = threading.Event()
    claim = take_claim(tmp_path, lost.set)
    assert isinstance(claim, Claim)
    (tmp_path / "claim-000002").touch()
    assert lost.wait(30)
    assert not claim.is_held()
    claim.release()
    assert find_holder(tmp_path) is not None  # the other's is not given back
