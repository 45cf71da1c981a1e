"""A process is given back as it was: torch's seeds and threads, one caller at a time."""

import threading
import time

import pytest
import torch

from resnext.api.guest import guest


def change_and_fail(threads: int) -> None:
    torch.manual_seed(4)
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = False
    raise KeyError


def test_seeds_and_threads_are_given_back_after_an_error_too() -> None:
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(KeyError), guest():
        change_and_fail(threads + 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.backends.cudnn.allow_tf32


def test_callers_in_several_threads_wait_for_each_other() -> None:
    inside, most = [0], [0]

    def work() -> None:
        with guest():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
