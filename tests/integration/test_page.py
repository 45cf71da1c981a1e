"""The page in headless Chromium: every control used, by mouse and keyboard, wide and narrow."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from page_browser import Page, needs_browser, start_browser
from PIL import Image

from resnext.complexity.count import count
from resnext.data.config import DataConfig
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.page.classifier import Classifier
from resnext.runs.config import TrainConfig
from resnext.runs.folder import read_config, write_config
from resnext.weights.own_file import save_weights

pytestmark = [
    pytest.mark.slow,
    needs_browser,
]

ODD = "${1+1} {{x}} <b>odd</b>"  # would be taken for a template or for markup
CLASSES = (ODD, "one", "two", "three", "four", "five")
NUMBERS = {"cardinality": "16", "width": "5", "size": "64", "classes": "33", "channels": "4"}


def make_run(run: Path, errors: list[float], cardinality: int = 2) -> Path:
    run.mkdir(parents=True)
    config = ResNeXtConfig(
        stem="cifar",
        blocks_per_stage=(1,),
        stage_widths=(16,),
        stem_width=8,
        cardinality=cardinality,
        num_classes=len(CLASSES),
    )
    card = ModelCard(classes=CLASSES, image_size_px=16, resize_px=None)
    save_weights(run / "best.safetensors", create_model(config), config, card)
    write_config(run, TrainConfig(model=config, data=DataConfig(name="cifar10")))
    lines = [
        f'{{"kind": "epoch", "step": {n}, "epoch": {n}, "loss": 1.0, "top1_error": {error}}}\n'
        for n, error in enumerate(errors, 1)
    ]
    (run / "metrics.jsonl").write_text("".join(lines))
    (run / "report.html").write_text(f"<h1>Report</h1><script>top.hacked = 1</script>{run.name}")
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_run(folder / "first", [50.0, 25.5])
    make_run(folder / "second <i>x", [40.0, 12.25], cardinality=4)
    return folder


@pytest.fixture(scope="module")
def page(runs: Path) -> Iterator[Page]:
    script = Path(__file__).parents[1] / "support/page_server.py"
    command = [sys.executable, str(script), str(runs / "first"), str(runs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port, "the server did not start"
        driver = start_browser()
        try:
            yield Page(driver, f"http://127.0.0.1:{port}/page/")
        finally:
            driver.quit()
            server.terminate()
            server.wait()


def test_every_control_of_the_design_changes_what_is_counted(page: Page) -> None:
    page.open()
    for letter in "AB":
        page.pick(f"start-{letter}", "resnext29_8x64d")
        page.shows(f"#view-{letter}", f"{count('resnext29_8x64d').parameters:,}")
        page.press(f"more-{letter}")
        page.write(f"blocks-{letter}", "2-3")
        for control, value in NUMBERS.items():
            page.write(f"{control}-{letter}", value)
        for control, label in (
            ("form", "(b) early concatenation"),
            ("stem", "ImageNet"),
            ("shortcut", "C"),
        ):
            page.choose(f"{control}-{letter}", label)
        page.choose(f"pre-{letter}", "Pre-activation")
        config = config_from(
            "resnext_2-3_16x5d", in_channels=4, num_classes=33, form="b", shortcut="C"
        ).replace(preactivation=True)
        page.shows(f"#view-{letter}", f"{count(config, 64).macs:,}")
        assert "concatenate" in page.text(f"#drawing-{letter} svg")
    page.choose("block-A", "basic")
    page.shows("#view-A .problem", "basic")
    assert f"{count(config, 64).macs:,}" in page.text("#architectures")


def test_the_equal_cost_of_the_paper_is_found_and_the_config_downloaded(
    page: Page, tmp_path: Path
) -> None:
    page.open()
    page.press("same-cost")
    page.pick("start-B", "resnext50_32x4d")
    page.write("width-B", "9")
    page.choose("solve-network", "B")
    page.pick("solve-like", "resnet50")
    page.write("solve-factor", "1")
    page.choose("solve-by", "parameters")
    page.choose("solve-what", "width")
    page.press("solve")
    page.shows("#solved", "d = 4 at C = 32")
    page.shows("#view-B", "25,028,904")
    assert page.one("#width-B input").get_attribute("value") == "4"
    link = page.one("#view-B a.download")
    assert link.get_attribute("download") == "resnext50_32x4d.yaml"
    file = tmp_path / "network.yaml"
    file.write_bytes(base64.b64decode(str(link.get_attribute("href")).partition(",")[2]))
    assert read_config(file).model == config_from("resnext50_32x4d")
    page.write("solve-factor", "0")
    page.press("solve")
    page.shows("#solved .problem", "factor: 0")


def test_a_wrong_name_is_told_in_place_of_the_figures(page: Page) -> None:
    page.open()
    page.pick("start-A", "resnext51_32x4d", offered=False)
    page.shows("#view-A .problem", "depth 51")
    assert "25,028,904" in page.text("#view-B")
    assert "Traceback" not in page.text("body")


def test_dropped_images_are_classified_and_explained(
    page: Page, runs: Path, tmp_path: Path
) -> None:
    page.open("Classify")
    files = [tmp_path / "a.png", tmp_path / "b.jpg", tmp_path / "bad.png"]
    for file, colour in zip(files, ("red", "blue"), strict=False):
        Image.new("RGB", (40, 30), colour).save(file)
    files[2].write_text("no image")
    page.one("#images input[type=file]").send_keys("\n".join(map(str, files)))
    page.until(lambda: len(page.all("#seen .image")) == 2)
    page.shows("#seen .problem", "bad.png:")
    classifier = Classifier(load(runs / "first"))
    for file, shown in zip(files[:2], page.all("#seen .image"), strict=True):
        answer = classifier.classify(file.read_bytes())
        for name, share in zip(answer.classes, answer.probabilities, strict=True):
            assert f"{name}\n{100 * share:.1f} %" in shown.text
        assert file.name in shown.text
        assert f"Heat map: {answer.classes[0]}" in shown.text
    for rank, choice in enumerate(("second", "third", "fourth", "fifth"), start=1):
        page.choose("heat-of", choice)
        page.shows("#seen .image:nth-of-type(2)", f"Heat map: {answer.classes[rank]}")
    page.choose("heat-of", "none")
    page.until(lambda: "Heat map" not in page.text("#seen"))
    page.one("#images button[aria-label=Clear]").click()
    page.until(lambda: not page.all("#seen .image"))


def test_runs_are_compared_and_their_reports_opened(page: Page, runs: Path) -> None:
    page.open("Runs")
    page.shows("#compared", "25.50 %")
    page.pick("runs", "second")
    page.shows("#compared", "12.25 %")
    page.shows("#compared", "model.cardinality")
    assert "second <i>x" in page.text("#compared")
    assert len(page.all("#compared .plots img")) == 2
    page.pick("report-of", "second")
    frame = page.one("#report iframe")
    page.driver.switch_to.frame(frame)
    page.shows("body", "second <i>x".replace("<i>", ""))  # its own file, its own markup
    page.driver.switch_to.default_content()
    assert page.driver.execute_script("return window.hacked") is None
    make_run(runs / "third", [33.0])
    page.press("refresh")
    page.shows("#runs", "3 found")
    page.pick("runs", "third")
    page.shows("#compared", "33.00 %")


def test_it_opens_on_the_served_network(page: Page) -> None:
    page.load()
    page.shows("#served h1", "first")
    assert page.text("button[role=tab][aria-selected=true]") == "Classify"
    assert "6 classes" in page.text("#served")


def test_the_idea_is_seen_at_once_a_block_in_form_a_beside_form_c(page: Page) -> None:
    page.open()
    page.shows("#drawing-A", "form (a)")
    left, right = (page.one(f"#drawing-{letter} svg").rect for letter in "AB")
    assert "32 paths" in page.text("#drawing-A svg")
    assert "groups = 32" in page.text("#drawing-B svg")
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] + left["height"] < 900  # in the window of a laptop without scrolling
    page.shows("#architectures", "compute the same function")


@pytest.mark.parametrize("tab", ["Design", "Classify", "Runs"])
def test_a_phone_need_not_scroll_sideways(page: Page, tab: str, tmp_path: Path) -> None:
    page.open(tab, width_px=390)
    if tab == "Classify":
        file = tmp_path / f"{'long' * 40}.png"
        Image.new("RGB", (40, 30), "red").save(file)
        page.one("#images input[type=file]").send_keys(str(file))
        page.until(lambda: len(page.all("#seen .image")) == 1)
    widths = page.driver.execute_script(
        "return [document.documentElement, ...document.querySelectorAll('.rx .scroll')]"
        ".filter(e => e.checkVisibility()).map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert page.driver.execute_script("return window.innerWidth") == 390
    assert [width for width in widths if width[0] > width[1]] == []


def test_every_control_has_a_name_and_the_keyboard_reaches_it(page: Page) -> None:
    page.open()
    page.press("same-cost")
    for letter in "AB":
        page.press(f"more-{letter}")
    page.until(lambda: page.one("#solve-factor input").is_displayed())
    reached = page.tab_through(70)
    # of a group of choices, the chosen one is reached, and the arrows do the rest
    wanted = page.driver.execute_script(
        "return [...document.querySelectorAll('input, textarea, button, a.download')]"
        ".filter(e => e.checkVisibility({visibilityProperty: true}) && e.tabIndex >= 0)"
        ".filter(e => e.type !== 'radio' || e.checked).map(label)"
    )
    assert len(wanted) > 30
    assert [control for control in wanted if control not in reached] == []
    assert page.nameless() == []
    assert "form (a)" in page.text("#drawing-A")  # to pass a control changes nothing


def test_nothing_was_asked_of_other_machines(page: Page) -> None:
    page.open()
    assert page.requested_hosts() == {"127.0.0.1"}
