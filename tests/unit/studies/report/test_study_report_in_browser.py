"""A study's report on a phone and on a desk: nothing makes the page itself scroll sideways."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_study import made_rows, made_study, paper_table3
from page_browser import assert_accessible, assert_fits, needs_browser
from selenium.webdriver.chrome.webdriver import WebDriver

from resnext.studies.report.files import write_report

pytestmark = [
    pytest.mark.slow,
    needs_browser,
]

LONG = "W" * 190


@pytest.mark.parametrize("width_px", [320, 390, 1280])
def test_a_study_with_everything_fits(width_px: int, browser: WebDriver, tmp_path: Path) -> None:
    study, rows = paper_table3(tmp_path)
    page, *_ = write_report(study, rows, tmp_path / study.name)
    assert_fits(browser, page, width_px)


@pytest.mark.parametrize("width_px", [320, 1280])
def test_long_names_do_not_widen_the_page(
    width_px: int, browser: WebDriver, tmp_path: Path
) -> None:
    labels = (LONG, f"{LONG}2", "c")
    study = made_study(labels, seeds=(0, 1, 2), question=LONG, note=LONG, source=LONG)
    rows = made_rows(study, {label: [5.0, 5.5, 6.1] for label in labels})
    page, *_ = write_report(study, rows, tmp_path)
    assert_fits(browser, page, width_px)


@pytest.mark.parametrize("is_dark", [False, True])
def test_an_accessibility_checker_finds_nothing(
    is_dark: bool, browser: WebDriver, tmp_path: Path
) -> None:
    study, rows = paper_table3(tmp_path)
    page, *_ = write_report(study, rows, tmp_path / study.name)
    assert_accessible(browser, page, is_dark=is_dark)
