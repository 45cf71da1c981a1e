"""Fixtures of many tests. What they need is imported by those that use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Command
    from selenium.webdriver.chrome.webdriver import WebDriver
    from served_page import Asked


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the working one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command, as a function."""
    from command import Command

    return Command(capsys)


@pytest.fixture
def digits_run(tmp_path: Path) -> Path:
    """Return the run of a tiny network for the digits, with random weights."""
    from made_run import make_run

    return make_run(tmp_path / "run")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was trained for two epochs; no test may change it."""
    from runs import finish, small_run

    from resnext.runs.config import ScheduleConfig

    run = tmp_path_factory.mktemp("finished") / "run"
    finish(small_run(schedule=ScheduleConfig(kind="cosine", epochs=2)), run)
    return run


@pytest.fixture(scope="module")
def remembered_traces(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Let all tests of this session that ask for it share what torch's exporter wrote."""
    from remembered_traces import remember_traces

    base = tmp_path_factory.getbasetemp()
    is_worker = hasattr(request.config, "workerinput")  # the folder above is the session's then
    with remember_traces((base.parent if is_worker else base) / "traces"):
        yield


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Return an exported network that names the strongest colour of an image."""
    from serving_process import write_colours

    return write_colours(tmp_path / "colours.onnx")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Return a client of the page, one for all tests of a module."""
    from served_page import served_page

    with served_page(tmp_path_factory.mktemp("runs")) as asked:
        yield asked


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    """Return Chromium without a window."""
    from page_browser import start_browser

    driver = start_browser()
    yield driver
    driver.quit()
