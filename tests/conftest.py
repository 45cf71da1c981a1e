"""One thread a process, time limits, and the options of the hostile tests."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from counts import Counts
from effort import EFFORTS, Effort
from hypothesis import settings

# On a busy machine an example may take many times as long: time never decides a test.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

pytest_plugins = ["shared_fixtures"]

# Two test processes with two threads each would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, and for subprocesses

# A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_ROWS = "hostile_rows"

# Ray and Chromium give up on a busy machine where our own programs wait, so that their tests get
# a second attempt. All others have one.
_DRIVES_OTHERS = (
    "test_page.py",
    "test_page_attack.py",
    "test_report_in_browser.py",
    "test_serving_cluster.py",
    "test_study_ray.py",
    "test_study_report_in_browser.py",
)

# Many times what the longest test takes: these end what hangs, on a slow machine too. The limit of
# all other tests is in pyproject.toml.
_SLOW_TIMEOUT_S = 1800
_LONG_EFFORT_TIMEOUT_S = 4 * 3600


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--effort", choices=tuple(EFFORTS), default="short")
    parser.addoption("--seed", type=int, default=0, help="another seed tries other inputs")
    parser.addoption("--results", type=Path, help="a folder for one JSON file of each row")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests that are marked slow, and all tests of a long round, more time."""
    is_long = config.getoption("--effort", "short") == "long"
    for item in items:
        if item.path.name in _DRIVES_OTHERS:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if is_long:
            item.add_marker(pytest.mark.timeout(_LONG_EFFORT_TIMEOUT_S))
        elif item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_TIMEOUT_S))


@pytest.fixture(scope="session")
def effort(pytestconfig: pytest.Config) -> Effort:
    return EFFORTS[pytestconfig.getoption("--effort", "short")]


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--seed", 0))


@pytest.fixture
def record(
    record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> Callable[[Counts], None]:
    """Return a function that notes a row for the table, then fails if the row is bad."""

    def note(counts: Counts) -> None:
        row = asdict(counts)
        record_property(_ROWS, json.dumps(row))
        folder: Path | None = pytestconfig.getoption("--results", None)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{counts.kind.replace(' ', '-').replace('/', '-')}.json").write_text(
                json.dumps(row, indent=1), encoding="utf-8"
            )
        counts.check()

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        json.loads(str(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == _ROWS
    ]
    if not rows:
        return
    terminalreporter.section("hostile input")
    terminalreporter.line(f"{'kind':<28}{'tried':>8}{'accepted':>10}{'refused':>9}{'failed':>8}")
    for row in sorted(rows, key=lambda row: str(row["kind"])):
        failed = len(row["failures"])
        total = row["accepted"] + row["refused"] + failed
        terminalreporter.line(
            f"{row['kind']:<28}{total:>8}{row['accepted']:>10}{row['refused']:>9}{failed:>8}"
        )
