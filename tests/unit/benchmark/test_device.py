"""What is asked of a device that is not here, and what is read of one that is."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import torch

from resnext.benchmark.contestant import GPU_RUNTIMES, RUNTIMES, check_runtime
from resnext.benchmark.device import describe_device, find_device, read_clocks, stopwatch_of
from resnext.errors import ConfigError

CPU, GPU = torch.device("cpu"), torch.device("cuda", 1)


def test_a_gpu_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="device='cuda': torch finds no GPU here"):
        find_device("cuda")


def test_a_cpu_has_a_name_and_no_clocks_to_read() -> None:
    assert "core(s)" in describe_device(CPU)
    assert read_clocks(CPU) == {}
    assert stopwatch_of(CPU)(lambda: None) >= 0


def _answer(text: str, status: int = 0) -> Any:
    return lambda command, **_: subprocess.CompletedProcess(command, status, text, "")


def test_the_clocks_of_a_gpu_are_those_of_nvidia_smi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", _answer("1980 MHz, 3201 MHz, 1980 MHz, [N/A], 41\n"))
    assert read_clocks(GPU) == {
        "clocks.sm": "1980 MHz",
        "clocks.mem": "3201 MHz",
        "clocks.max.sm": "1980 MHz",
        "power.draw": "[N/A]",
        "temperature.gpu": "41",
    }


@pytest.mark.parametrize(("text", "status"), [("No devices were found\n", 6), ("", 0)])
def test_without_an_answer_there_are_no_clocks(
    monkeypatch: pytest.MonkeyPatch, text: str, status: int
) -> None:
    monkeypatch.setattr(subprocess, "run", _answer(text, status))
    assert read_clocks(GPU) == {}


def test_the_stopwatch_of_a_gpu_goes_by_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class FakeEvent:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            calls.append("record")

        def synchronize(self) -> None:
            calls.append("wait")

        def elapsed_time(self, end: object) -> float:
            del end
            return 2.5  # milliseconds

    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    assert stopwatch_of(GPU)(lambda: calls.append("run")) == pytest.approx(2.5e-3)
    assert calls == ["record", "run", "record", "wait"]


@pytest.mark.parametrize("runtime", sorted({*RUNTIMES, *GPU_RUNTIMES}))
def test_each_runtime_runs_somewhere_and_says_where(runtime: str) -> None:
    for is_on_gpu, known in ((True, GPU_RUNTIMES), (False, RUNTIMES)):
        if runtime in known:
            check_runtime(runtime, is_on_gpu=is_on_gpu, precision="fp32")
        else:
            with pytest.raises(ConfigError, match="runs on"):
                check_runtime(runtime, is_on_gpu=is_on_gpu, precision="fp32")


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "pt2"])
def test_files_are_not_run_in_another_precision(runtime: str) -> None:
    with pytest.raises(ConfigError, match="in fp32 only; leave out --precision"):
        check_runtime(runtime, is_on_gpu=False, precision="bf16")
