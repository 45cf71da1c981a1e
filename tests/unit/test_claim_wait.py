"""A claim of a process that may have died on another machine is waited for."""

import json
import os
import time
from pathlib import Path

import pytest

from resnext import claim_wait
from resnext.claim import Claim, Holder, take_claim
from resnext.claim_wait import await_claim, finish_removals


def nothing(_: object = None) -> None:
    pass


def write_claim(folder: Path, *, seconds_ago: float = 0.0) -> Path:
    """Write the claim of a process on another machine."""
    folder.mkdir(exist_ok=True)
    path = folder / "claim-000001"
    path.write_text(json.dumps({"host": "other", "pid": 1, "system": "boot", "started": "1"}))
    os.utime(path, (time.time() - seconds_ago,) * 2)
    return path


def test_one_that_has_died_is_waited_for_and_then_taken_over(tmp_path: Path) -> None:
    path = write_claim(tmp_path / "claims")
    waits: list[Holder] = []

    def wait(holder: Holder) -> None:
        waits.append(holder)
        os.utime(path, (0, 0))  # as if the time had passed

    taken = await_claim(tmp_path / "claims", nothing, wait)
    assert isinstance(taken, Claim)
    assert [holder.host for holder in waits] == ["other"]
    taken.release()


def test_one_that_beats_is_alive_and_holds_its_claim(tmp_path: Path) -> None:
    path = write_claim(tmp_path / "claims", seconds_ago=30)
    waits = []

    def wait(holder: Holder) -> None:
        waits.append(holder)
        path.touch()

    taken = await_claim(tmp_path / "claims", nothing, wait)
    assert isinstance(taken, Holder)
    assert taken.host == "other"
    assert len(waits) == 1


def test_a_patient_start_waits_for_one_that_is_alive_and_ends(tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    first = take_claim(claims, nothing)
    assert isinstance(first, Claim)
    assert isinstance(await_claim(claims, nothing, nothing), Holder)
    waits: list[Holder] = []

    def wait(holder: Holder) -> None:
        if not waits:
            first.release()
        waits.append(holder)

    taken = await_claim(claims, nothing, wait, is_patient=True)
    assert isinstance(taken, Claim)
    taken.release()


def test_a_patient_start_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_wait, "_SECONDS_TO_WAIT", 0.0)
    (tmp_path / "claims").mkdir()
    first = take_claim(tmp_path / "claims", nothing)
    assert isinstance(first, Claim)
    assert isinstance(await_claim(tmp_path / "claims", nothing, nothing, is_patient=True), Holder)
    first.release()


def test_a_folder_that_its_holder_removes_can_be_claimed_at_once(tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    for _ in range(20):
        first = await_claim(claims, nothing, nothing)
        assert isinstance(first, Claim)
        (claims / "work").mkdir()
        first.remove_folder()
        assert list(tmp_path.iterdir()) == []


def test_a_removal_that_was_killed_is_finished(tmp_path: Path) -> None:
    (tmp_path / "claims.123.removed" / "work").mkdir(parents=True)
    (tmp_path / "other.removed").mkdir()
    finish_removals(tmp_path / "claims")
    assert [path.name for path in tmp_path.iterdir()] == ["other.removed"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"pid": 1}', '{"host": 5}', "\x00", "[" * 5000, "9" * 5000]
)
def test_a_damaged_claim_is_somebodys_until_it_is_stale(tmp_path: Path, text: str) -> None:
    path = tmp_path / "claim-000001"
    path.write_text(text)
    (tmp_path / "claim-x").touch()
    assert isinstance(take_claim(tmp_path, nothing), Holder)
    os.utime(path, (0, 0))
    taken = take_claim(tmp_path, nothing)
    assert isinstance(taken, Claim)
    taken.release()


def test_a_claim_that_cannot_be_written_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("resnext.claim.json.dumps", full)
    with pytest.raises(OSError, match="No space"):
        take_claim(tmp_path, nothing)
    assert list(tmp_path.iterdir()) == []


def test_a_holder_is_named_without_escape_sequences() -> None:
    assert str(Holder("\x1b[2J", 5, "", "", "now")) == r"process 5 on \x1b[2J since now"
