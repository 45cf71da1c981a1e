"""The report on a phone and on a desk: nothing makes the page itself scroll sideways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from page_browser import assert_accessible, assert_fits, needs_browser
from PIL import Image
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from test_report import arrays, evaluation_of

from resnext.data.file_split import FileSplit
from resnext.evaluation.report import write_report
from resnext.evaluation.templates import report_templates
from resnext.model.config import ResNeXtConfig
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config

pytestmark = needs_browser

LONG = "W" * 120
PATH = "/".join(["a_very_long_folder_name"] * 12)


def made_run(folder: Path, num_classes: int) -> Path:
    """Return a run of long names, with a problem and everything else that a report shows."""
    folder.mkdir()
    config = TrainConfig(
        model=ResNeXtConfig(num_classes=num_classes), recipe=LONG, label_smoothing=0.1
    )
    write_config(folder, config)
    figures = {"top1_error": 99.0, "train_loss": 1e6, "loss": 1e6, "guess_error": 50.0}
    row = {"kind": "epoch", "step": 10, "epoch": 1, "seconds": 1.0, **figures}
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    opening = {"num_images": {"train": 9, "val": 4}, "lines": [["data", PATH], [LONG, LONG]]}
    (folder / "opening.json").write_text(json.dumps(opening))
    (folder / "environment.json").write_text(json.dumps({"python": PATH, LONG: "x"}))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("is_dark", [False, True])
def test_an_accessibility_checker_finds_nothing(
    is_dark: bool, browser: WebDriver, tmp_path: Path
) -> None:
    evaluation = evaluation_of(("cat", "dog"), arrays(2), [{"path": "a.jpg", "reason": "cut"}])
    page = write_report(tmp_path / "report.html", made_run(tmp_path / "run", 2), evaluation)
    assert_accessible(browser, page, is_dark=is_dark)


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [2, 1000])
def test_only_tables_scroll_sideways(num_classes: int, browser: WebDriver, tmp_path: Path) -> None:
    classes = tuple(f"{number} {LONG}" for number in range(num_classes))
    Image.new("RGB", (8, 8)).save(tmp_path / f"{LONG}.png")
    split = arrays(num_classes)
    shown = FileSplit(tmp_path, (f"{LONG}.png",) * 8, torch.tensor([0, 1] * 4))
    bad = [{"path": PATH, "reason": LONG}]
    evaluation = evaluation_of(classes, shown if num_classes == 2 else split, bad)
    page = write_report(
        tmp_path / "report.html", made_run(tmp_path / LONG, num_classes), evaluation
    )
    for width_px in (320, 390, 1280):
        assert_fits(browser, page, width_px)


@pytest.mark.slow
def test_a_title_sorts_its_table_up_and_down(browser: WebDriver, tmp_path: Path) -> None:
    bad = [{"path": name, "reason": "cut"} for name in ("10.jpg", "9.jpg", "b.jpg", "A.jpg")]
    evaluation = evaluation_of(("cat", "dog"), arrays(2), bad)
    page = write_report(tmp_path / "report.html", made_run(tmp_path / "run", 2), evaluation)
    browser.get(page.resolve().as_uri())
    table = browser.find_elements(By.CSS_SELECTOR, "table.sortable")[-1]
    title = table.find_element(By.CSS_SELECTOR, "th button")

    def names() -> list[str]:
        return [cell.text for cell in table.find_elements(By.CSS_SELECTOR, "td:first-child")]

    assert names() == ["10.jpg", "9.jpg", "A.jpg", "b.jpg"]
    title.click()
    assert names() == ["9.jpg", "10.jpg", "A.jpg", "b.jpg"]
    title.click()
    assert names() == ["b.jpg", "A.jpg", "10.jpg", "9.jpg"]
    head = table.find_element(By.CSS_SELECTOR, "th")
    assert head.get_attribute("aria-sort") == "descending"


@pytest.mark.slow
def test_numbers_sort_by_value_and_gaps_stay_last(browser: WebDriver, tmp_path: Path) -> None:
    rows = ["9.5 %", "", "1,200", "-3", "none", "< 0.001"]
    body = "".join(f"<tr><td class='n'>{text}</td></tr>" for text in rows)
    table = "<table class='sortable'><thead><tr><th class='n'>x</th></tr></thead><tbody>"
    script = report_templates("evaluation").globals["sort_script"]
    page = tmp_path / "page.html"
    page.write_text(f"<meta charset=utf-8>{table}{body}</tbody></table><script>{script}</script>")
    browser.get(page.resolve().as_uri())
    title = browser.find_element(By.CSS_SELECTOR, "th button")

    def cells() -> list[str]:
        return [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, "td")]

    title.click()
    assert cells() == ["1,200", "9.5 %", "< 0.001", "-3", "", "none"]
    title.click()
    assert cells() == ["-3", "< 0.001", "9.5 %", "1,200", "", "none"]


@pytest.mark.slow
def test_only_the_own_script_of_a_report_runs(browser: WebDriver, tmp_path: Path) -> None:
    evaluation = evaluation_of(("cat", "dog"), arrays(2))
    page = write_report(tmp_path / "report.html", made_run(tmp_path / "run", 2), evaluation)
    other = "<script>document.title = 'other'</script></body>"
    page.write_text(page.read_text().replace("</body>", other))
    browser.get(page.resolve().as_uri())
    assert browser.title == "run · resnext"
    assert browser.find_elements(By.CSS_SELECTOR, "th button")
