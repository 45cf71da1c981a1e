"""A claim is held by one process at a time, and passes on when its holder is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from resnext.studies import claim
from resnext.studies.claim import Claim, Holder, find_holder, take_claim


def fail() -> None:
    raise AssertionError("the claim was lost")


def take(folder: Path) -> Claim:
    taken = take_claim(folder, fail)
    assert isinstance(taken, Claim)
    return taken


def test_a_claim_is_taken_once_and_can_be_taken_again_after_its_release(tmp_path: Path) -> None:
    first = take(tmp_path)
    holder = take_claim(tmp_path, fail)
    assert isinstance(holder, Holder)
    assert holder.pid == os.getpid()
    first.release()
    assert find_holder(tmp_path) is None
    take(tmp_path).release()


def test_of_many_that_try_at_once_one_wins(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    results: list[Claim | Holder] = []

    def race() -> None:
        start.wait()
        results.append(take_claim(tmp_path, fail))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [result for result in results if isinstance(result, Claim)]
    assert len(results) == 8
    assert len(winners) == 1
    winners[0].release()


def test_the_claim_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from resnext.studies.claim import take_claim; "
        "take_claim(Path(sys.argv[1]), lambda: None); print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    holder = find_holder(tmp_path)
    assert holder is not None
    assert holder.pid == child.pid
    child.kill()
    child.wait()
    child.stdout.close()
    assert find_holder(tmp_path) is None
    take(tmp_path).release()


def other_machine(folder: Path, number: int, age_s: float) -> Path:
    """Write the claim of a process elsewhere, last touched some seconds ago."""
    file = folder / f"claim-{number:06}"
    file.write_text(json.dumps({"host": "far", "pid": 1, "system": "other", "started": "1"}))
    then = time.time() - age_s
    os.utime(file, (then, then))
    return file


def test_the_claim_of_another_machine_holds_while_it_beats(tmp_path: Path) -> None:
    file = other_machine(tmp_path, 1, age_s=30)
    assert str(take_claim(tmp_path, fail)) == "process 1 on far"
    os.utime(file, (0, 0))
    take(tmp_path).release()


def test_a_reused_process_number_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    held = take(tmp_path)
    file = tmp_path / "claim-000001"
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"started": "0"}))
    assert find_holder(tmp_path) is None
    held.release()


def test_a_claim_that_is_being_written_counts_as_held(tmp_path: Path) -> None:
    (tmp_path / "claim-000001").write_text('{"host": "fa')
    assert isinstance(take_claim(tmp_path, fail), Holder)


def test_the_holder_is_told_when_another_has_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "_SECONDS_BETWEEN_BEATS", 0.01)
    lost = threading.Event()
    held = take_claim(tmp_path, lost.set)
    assert isinstance(held, Claim)
    assert held.is_held()
    other_machine(tmp_path, 2, age_s=0)
    assert lost.wait(10)
    assert not held.is_held()
    held.release()
    assert find_holder(tmp_path) is not None
