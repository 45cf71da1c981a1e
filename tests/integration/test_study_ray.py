"""A study on a Ray cluster gives what it gives on one machine, also when a worker dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from small_study import (
    all_figures,
    end_driver,
    long_settings,
    run,
    small_study,
    start_driver,
    wait_for_training,
)

from resnext.studies.execution.scheduler import status_rows
from resnext.studies.records.results import Row

LONG = small_study(settings=(long_settings(),))


def results(rows: list[Row]) -> list[dict[str, object]]:
    """Return what the trials measured, without the time that it took."""
    return [row.figures.model_dump(exclude={"seconds"}) for row in rows if row.figures]


@pytest.mark.slow
@pytest.mark.alone
def test_ray_gives_row_for_row_the_same_figures(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    undisturbed = run(LONG, tmp_path / "alone", jobs=2)
    root = tmp_path / "ray"
    driver = start_driver(LONG, root, cluster="local")
    victim = next(iter(wait_for_training(LONG, root).values()))
    worker = int(Path(f"/proc/{victim}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    status, said = end_driver(driver)
    assert status == 0, said
    rows = status_rows(LONG, root)
    reasons = [attempt["reason"] for row in rows for attempt in row.attempts]
    assert set(reasons) == {"killed"}
    assert all_figures(rows) == all_figures(undisturbed)
    assert results(rows) == results(undisturbed)
    assert len(results(rows)) == len(rows)
