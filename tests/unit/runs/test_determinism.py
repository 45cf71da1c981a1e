"""Exact kernels on a GPU, and everything as before when a run is over."""

from __future__ import annotations

import os
from typing import Any

import pytest
import torch

from resnext.runs import determinism
from resnext.runs.config import RuntimeConfig
from resnext.runs.determinism import choose_kernels

GPU = torch.device("cuda")  # only its kind is looked at


def _state() -> tuple[bool, ...]:
    cudnn = torch.backends.cudnn
    memory: Any = torch.utils.deterministic
    return (
        cudnn.deterministic,
        cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
        memory.fill_uninitialized_memory,
    )


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(determinism, "_compile_without_timing", lambda: None)


def test_by_default_a_gpu_takes_kernels_that_repeat_their_bits() -> None:
    before = _state()
    with choose_kernels(RuntimeConfig(), GPU):
        assert _state() == (True, False, True, False)
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert _state() == before


def test_without_it_cudnn_looks_for_the_fastest() -> None:
    before = _state()
    with choose_kernels(RuntimeConfig(deterministic=False), GPU):
        assert _state() == (False, True, *before[2:])
    assert _state() == before


def test_everything_is_as_before_after_an_error() -> None:
    before = _state()
    with pytest.raises(ZeroDivisionError), choose_kernels(RuntimeConfig(), GPU):
        raise ZeroDivisionError
    assert _state() == before


def test_cublas_gets_a_workspace_of_fixed_size_unless_a_person_chose_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with choose_kernels(RuntimeConfig(), GPU):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with choose_kernels(RuntimeConfig(), GPU):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.parametrize("compiles", [True, False])
def test_the_compiler_chooses_by_rule_where_it_is_used(
    monkeypatch: pytest.MonkeyPatch, compiles: bool
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(determinism, "_compile_without_timing", lambda: calls.append(True))
    with choose_kernels(RuntimeConfig(compile=compiles), GPU):
        pass
    assert bool(calls) == compiles


def test_a_cpu_is_left_alone() -> None:
    before = _state()
    with choose_kernels(RuntimeConfig(), torch.device("cpu")):
        assert _state() == before
