"""One process writes into a run."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch

from resnext.claim import find_holder
from resnext.errors import RunError
from resnext.runs.folder import WRITER
from resnext.runs.runtime import Runtime
from resnext.training.display import Display
from resnext.training.interrupt import Interrupted, StopRequest
from resnext.training.run_claim import RunClaim


def claim_of(display: Display | None = None) -> tuple[RunClaim, StopRequest]:
    stop = StopRequest(Runtime(torch.device("cpu"), torch.float32))
    return RunClaim(display or Display("quiet"), stop), stop


def write_other(run: Path, number: int) -> Path:
    (run / WRITER).mkdir(exist_ok=True)
    path = run / WRITER / f"claim-{number:06}"
    path.write_text(json.dumps({"host": "other", "pid": 1, "system": "boot", "started": "1"}))
    return path


def test_it_is_given_back_at_the_end(tmp_path: Path) -> None:
    with claim_of()[0] as claim:
        claim.take(tmp_path, is_patient=False)
        claim.check()
        holder = find_holder(tmp_path / WRITER)
        assert holder is not None
        with (
            claim_of()[0] as second,
            pytest.raises(RunError, match=f"is in use: {holder} is writing"),
        ):
            second.take(tmp_path, is_patient=False)
    assert find_holder(tmp_path / WRITER) is None


def test_where_it_was_not_taken_nothing_is_checked() -> None:
    with claim_of()[0] as claim:
        claim.check()
        assert not claim.is_lost


def test_whoever_was_taken_over_may_not_write(tmp_path: Path) -> None:
    with claim_of()[0] as claim:
        claim.take(tmp_path, is_patient=False)
        write_other(tmp_path, 2)
        with pytest.raises(RunError, match=r"process 1 on other has taken over"):
            claim.check()
        assert claim.is_lost


def test_a_signal_ends_the_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_other(tmp_path, 1)
    claim, stop = claim_of(Display("plain"))
    stop.signal_number = signal.SIGTERM
    with claim, pytest.raises(Interrupted, match="stopped by SIGTERM while waiting for"):
        claim.take(tmp_path, is_patient=False)
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_waiting_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_other(tmp_path, 1)
    claim, _ = claim_of(Display("plain"))
    wait, looks = claim._wait, []

    def age(holder: object) -> None:
        wait(holder)  # type: ignore[arg-type]  # as it comes
        looks.append(holder)
        if len(looks) == 2:
            os.utime(path, (0, 0))

    claim._wait = age  # type: ignore[method-assign]
    with claim:
        claim.take(tmp_path, is_patient=False)
    told = capsys.readouterr().err
    assert told == f"waiting for process 1 on other to stop writing into {tmp_path}\n"
