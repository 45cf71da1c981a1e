"""Threads that wait for each other leave the core to whom they wait for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnext.machine import waiting_environment
from resnext.studies.execution.executor import LocalExecutor, TrialResources

SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def told_by_openmp(program: str, **said: str) -> str:
    """Run a program that ends by loading torch, and return what OpenMP says of its settings."""
    environment = {k: v for k, v in os.environ.items() if k not in SAID} | said
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport torch"],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"OMP_DISPLAY_ENV": "VERBOSE"},
    ).stderr
    if "GOMP_SPINCOUNT" not in told:
        pytest.skip("this PyTorch does not compute with the threads of GNU OpenMP")
    return told


@pytest.mark.slow
def test_the_command_lets_threads_sleep_soon_and_a_persons_word_stands() -> None:
    program = "from resnext.cli.main import main; main(['--version'])"
    assert "GOMP_SPINCOUNT = '1000'" in told_by_openmp(program)
    assert "GOMP_SPINCOUNT = '7'" in told_by_openmp(program, GOMP_SPINCOUNT="7")
    assert "GOMP_SPINCOUNT = '1000'" not in told_by_openmp(program, OMP_WAIT_POLICY="ACTIVE")


@pytest.mark.parametrize("name", SAID)
def test_nothing_is_added_to_what_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in SAID:
        monkeypatch.delenv(other, raising=False)
    assert waiting_environment() == {"GOMP_SPINCOUNT": "1000"}
    monkeypatch.setenv(name, "3")
    assert waiting_environment() == {}


def test_trials_are_started_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SAID:
        monkeypatch.delenv(name, raising=False)
    environment = LocalExecutor(TrialResources(threads=2), jobs=1)._environment(tmp_path)
    assert environment["GOMP_SPINCOUNT"] == "1000"
    assert environment["OMP_NUM_THREADS"] == "2"
