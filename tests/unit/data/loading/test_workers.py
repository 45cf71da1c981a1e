from __future__ import annotations

import os
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from resnext.data.loading.render import Rendered, Request
from resnext.data.loading.workers import WorkerPool
from resnext.data.names import PackedNames
from resnext.errors import DataError


class Echo(Dataset[Rendered]):
    """Answers with the request's numbers and the id of the process that rendered them."""

    def __getitem__(self, request: Request) -> Rendered:
        if -1 in request.indices:
            os.kill(os.getpid(), signal.SIGKILL)
        return Rendered(torch.tensor([os.getpid()]), torch.tensor(request.indices))


def requests(num: int) -> list[Request]:
    return [Request((number,), 0, 1) for number in range(num)]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_answers_come_in_the_order_of_the_requests(workers: int) -> None:
    pool = WorkerPool(Echo(), workers, pin=False, keep=True)
    for _ in range(2):
        assert [int(answer.shown_b) for answer in pool.run(requests(10))] == list(range(10))


def test_a_run_that_is_abandoned_leaves_nothing_behind() -> None:
    pool = WorkerPool(Echo(), 2, pin=False, keep=True)
    abandoned = pool.run(Request((100 + n,), 0, 1) for n in range(50))
    next(abandoned)
    assert [int(answer.shown_b) for answer in pool.run(requests(10))] == list(range(10))


def test_kept_workers_serve_the_next_run() -> None:
    pool = WorkerPool(Echo(), 1, pin=False, keep=True)
    first, second = ({int(a.images_bhwc) for a in pool.run(requests(3))} for _ in range(2))  # type: ignore[arg-type]  # Echo always sends pixels
    assert first == second != {os.getpid()}


def test_a_worker_that_dies_gives_one_clear_error() -> None:
    pool = WorkerPool(Echo(), 1, pin=False, keep=False)
    with pytest.raises(DataError, match=r"a process that decodes images died .*data\.workers"):
        list(pool.run([Request((-1,), 0, 1)]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_does_not_take_the_workers_away(number: signal.Signals) -> None:
    pool = WorkerPool(Echo(), 1, pin=False, keep=True)
    worker = next(iter(pool.run(requests(1)))).images_bhwc
    assert worker is not None
    # The parent's own SIGTERM ends a worker, so a stranger has to send this one.
    subprocess.run(["kill", f"-{int(number)}", str(int(worker))], check=True)
    time.sleep(0.2)
    assert [int(answer.images_bhwc) for answer in pool.run(requests(2))] == [int(worker)] * 2  # type: ignore[arg-type]  # Echo always sends pixels


def test_packed_names_are_the_names() -> None:
    names = ["a/1.jpg", "", "b/ünïcode.png", "c/\udcff.jpg"]
    packed = PackedNames(names)
    assert len(packed) == 4
    assert list(packed) == names
    assert packed == names
    assert packed != names[:3]
    assert len(PackedNames([])) == 0


def test_chosen_names_are_those_of_the_numbers_and_share_the_text() -> None:
    packed = PackedNames(str(number) for number in range(100))
    chosen = packed.choose(np.array([70, 2, 2, 99]))
    assert list(chosen) == ["70", "2", "2", "99"]
    assert list(chosen.choose(np.array([3, 0]))) == ["99", "70"]
    assert chosen.text is packed.text
