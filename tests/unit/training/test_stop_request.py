"""A request to stop: the first is kept, one right after it is the same, a later one is obeyed."""

from __future__ import annotations

import os
import signal
import time

import pytest
import torch

from resnext.ctrl_c import SAME_REQUEST_S
from resnext.runs.runtime import Runtime
from resnext.training.interrupt import StopRequest

_RUNTIME = Runtime(torch.device("cpu"), torch.float32)


def test_only_a_later_signal_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, left = [100.0], list[int]()
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(os, "_exit", left.append)
    request = StopRequest(_RUNTIME)
    request.handle(signal.SIGINT, None)
    now_s[0] += 0.9 * SAME_REQUEST_S  # some senders signal a process and its group
    request.handle(signal.SIGINT, None)
    assert (request.agreed(1), left) == (signal.SIGINT, [])
    now_s[0] += SAME_REQUEST_S
    request.handle(signal.SIGTERM, None)
    assert left == [128 + signal.SIGTERM]


def test_a_guest_is_interrupted_by_a_later_signal_and_never_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, left = [100.0], list[int]()
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(os, "_exit", left.append)
    request = StopRequest(_RUNTIME, is_guest=True)
    request.handle(signal.SIGINT, None)
    now_s[0] += 2 * SAME_REQUEST_S
    with pytest.raises(KeyboardInterrupt):
        request.handle(signal.SIGINT, None)
    assert left == []


def test_a_forked_worker_leaves_it_to_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    request = StopRequest(_RUNTIME)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    request.handle(signal.SIGINT, None)
    assert request.signal_number == 0
