"""A study on a Ray cluster gives what it gives on one machine, also when a worker dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from studies import attempts, figures, finish, start, trial_processes, wait_until, write_study


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the study once in peace."""
    folder = tmp_path_factory.mktemp("undisturbed")
    status, output = finish(start(write_study(folder), folder, "--threads", "1"))
    assert status == 0, output
    return figures(folder)


@pytest.mark.slow
def test_ray_gives_row_for_row_the_same_figures(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    child = start(write_study(tmp_path), tmp_path, "--cluster", "local", "--threads", "1")
    wait_until(lambda: list(tmp_path.glob("trials/*/run/last.safetensors")), child)
    victim = trial_processes(tmp_path)[0]
    worker = int(Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    status, output = finish(child)
    assert status == 0, output
    assert set(attempts(tmp_path)) <= {"killed"}
    assert attempts(tmp_path)
    assert figures(tmp_path) == undisturbed
