import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from html_page import HtmlPage
from PIL import Image
from tasks import classifier

from resnext.complexity.count import count
from resnext.data.array_split import ArraySplit
from resnext.data.config import ViewConfig
from resnext.data.file_split import FileSplit
from resnext.data.split import DataInfo, Split
from resnext.errors import RunError
from resnext.evaluation.report import render_report, write_report
from resnext.evaluation.run import Evaluation
from resnext.evaluation.target import EvaluationSet
from resnext.model.config import ResNeXtConfig
from resnext.tasks.classification.result import ClassificationResult, Mistake
from resnext.tasks.classification.tally import ClassificationTally

NASTY = "<script>alert('cat')</script>"


def evaluation_of(
    classes: tuple[str, ...], split: Split, bad_files: list[dict[str, str]] | None = None
) -> Evaluation:
    """Return an evaluation of random outputs on a split."""
    num, num_classes = len(split), len(classes)
    logits = torch.randn(num, num_classes, generator=torch.Generator().manual_seed(1))
    tally = ClassificationTally(num_classes, full=True)
    tally.add(logits.log_softmax(1), split.targets_n, torch.arange(num))
    result = tally.result()
    config = ResNeXtConfig(stem="cifar", blocks_per_stage=(1, 1, 1), num_classes=num_classes)
    cost = count(config, (3, 32, 32))
    figures = {
        **result.as_dict(classes),
        "parameters": cost.parameters,
        "macs": cost.macs,
        "view": {"size_px": 32, "resize_px": None, "ten_crop": False, "flip": True},
        "data": {"name": "made-up", "split": "val"},
    }
    info = DataInfo("made-up", classes, 3, 32, (0.5,) * 3, (0.5,) * 3)
    target = EvaluationSet(info, split, ViewConfig(), None, None, {})
    return Evaluation(figures, result, classifier(num_classes), target, cost, bad_files or [])


def mistakes_of(evaluation: Evaluation) -> tuple[Mistake, ...]:
    assert isinstance(evaluation.result, ClassificationResult)
    return evaluation.result.mistakes


def arrays(num_classes: int) -> ArraySplit:
    labels = torch.arange(4 * num_classes) % num_classes
    return ArraySplit(torch.zeros(len(labels), 32, 32, 3, dtype=torch.uint8), labels)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder after two epochs."""
    folder = tmp_path / "my run"
    folder.mkdir()
    rows = []
    for epoch in (1, 2):
        step = 10 * epoch
        rows.append({"kind": "train", "step": step, "epoch": epoch, "loss": 1.0, "lr": 0.1})
        rows[-1]["images_per_s"] = 123.4
        figures = {"train_loss": 1.0, "loss": 0.9, "top1_error": 40.0 - epoch, "top5_error": None}
        rows.append({"kind": "epoch", "step": step, "epoch": epoch, **figures})
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines, encoding="utf-8")
    (folder / "config.yaml").write_text("recipe: fast\nseed: 17\n", encoding="utf-8")
    environment = {"python": "3.11", "packages": {"torch": "2.0"}, "git": None}
    (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    return folder


def test_the_page_shows_every_figure(run: Path) -> None:
    evaluation = evaluation_of(("cat", "dög", "猫", "x", "y", "z"), arrays(6))
    page = HtmlPage(render_report(run, evaluation))
    figures = evaluation.figures
    for text in (
        f"{figures['top1_error']:.2f} %",
        f"{figures['top5_error']:.2f} %",
        f"{figures['loss']:.4f}",
        f"{figures['calibration_error']:.2f} %",
        f"{figures['parameters']:,}",
        f"{figures['macs']:,}",
        "24 images",
        "dög",
        "猫",
        "seed: 17",
        "torch 2.0",
        "123 training images",
        "38.00 % in epoch 2",
    ):
        assert text in page.text
    # Two training curves, learning rate, calibration and a thumbnail for each mistake.
    assert page.tags.count("img") == 4 + len(mistakes_of(evaluation))


def test_the_page_loads_nothing_from_elsewhere(run: Path) -> None:
    page = render_report(run, evaluation_of(("a", "b"), arrays(2)))
    assert all(address.startswith("data:image/") for address in HtmlPage(page).addresses)
    assert not re.search(r"@import|url\(|<link|<iframe|fetch|import\(", page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Security-Policy" content="(.*?)"', page)
    assert "default-src 'none'" in policy
    assert policy.endswith(f"script-src 'sha256-{digest}'")


def test_names_are_escaped_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "<b>.png").touch()
    Image.new("RGB", (80, 80)).save(tmp_path / "<b>.png")
    split = FileSplit(tmp_path, ("<b>.png",) * 8, torch.tensor([0, 1] * 4))
    bad = [{"path": "<i>.jpg", "reason": "<u>"}]
    page = HtmlPage(render_report(tmp_path, evaluation_of((NASTY, '"><p>'), split, bad)))
    assert not {"i", "u"} & set(page.tags)
    assert page.tags.count("script") == 1  # ours
    assert page.text.count(NASTY) >= 3  # matrix, errors, thumbnails
    assert "<i>.jpg" in page.text
    assert page.tags.count("b") == page.tags.count("img") - 1  # ours, one a thumbnail


HOSTILE = (
    NASTY,
    '" onmouseover="alert(1)" x="',
    "' onerror='alert(1)",
    "</style><script src=http://127.0.0.1/x.js></script>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "--><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    r"$\frac{$ $x^2$",
    "\x1b[31mred\x07\x9b2J\r\u202egnp\u2028\x00\udcff",
    "x\ny",
    "_hidden",
)


@pytest.mark.slow
@pytest.mark.parametrize("num_more", [0, 20])
def test_hostile_names_add_nothing_to_the_page(num_more: int, run: Path, tmp_path: Path) -> None:
    classes = HOSTILE + tuple(f"class {number}" for number in range(num_more))
    honest = tuple(f"honest name {number}" for number in range(len(classes)))
    Image.new("RGB", (80, 80)).save(tmp_path / "honest.png")
    pages = []
    for names in (classes, honest):
        bad = [{"path": name, "reason": name} for name in names]
        environment = dict(zip(names, names, strict=True))
        (run / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
        (run / "config.yaml").write_text(json.dumps(names), encoding="utf-8")
        evaluation = evaluation_of(names, arrays(len(names)), bad)
        evaluation.figures["data"] = {"name": names[-1], "split": names[3], "labels": "real"}
        write_report(tmp_path / "report.html", run, evaluation)
        pages.append((tmp_path / "report.html").read_text(encoding="utf-8"))
    made, wanted = (HtmlPage(page) for page in pages)
    assert made.tags == wanted.tags
    assert made.attributes == wanted.attributes
    assert not {name for name in made.attributes if name.startswith("on")}
    assert all(address.startswith("data:image/") for address in made.addresses)
    assert all(char == "\n" or char.isprintable() for char in pages[0])
    for name in HOSTILE[:9]:
        assert name in made.text


def test_a_browser_is_forbidden_to_run_or_fetch_anything(run: Path) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', render_report(run))
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules.pop("script-src").startswith("'sha256-")  # ours only
    assert rules == {"default-src": "'none'", "img-src": "data:", "style-src": "'unsafe-inline'"}


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [21, 200])
def test_many_classes_are_summed_up(run: Path, num_classes: int) -> None:
    classes = tuple(f"class {number}" for number in range(num_classes))
    page = render_report(run, evaluation_of(classes, arrays(num_classes)))
    assert page.count('<tr><th title="') == 20
    assert "other classes" in page
    assert "How many classes have which error" in page
    assert len(page) < 1_500_000


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [6, 21, 1000])
def test_precision_recall_and_f1_of_every_class_are_on_the_page(
    run: Path, num_classes: int
) -> None:
    classes = tuple(f"class {number}" for number in range(num_classes))
    evaluation = evaluation_of(classes, arrays(num_classes))
    page = render_report(run, evaluation)
    for name, row in evaluation.figures["per_class"].items():
        cells = "".join(f'<td class="n">{row[key]:.2f} %</td>' for key in ("precision", "recall"))
        pattern = f"<td>{name}</td>.*{cells}.*>{row['images']}</td></tr>"
        assert re.search(pattern, page) is not None, name
    text = HtmlPage(page).text
    for key in ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1"):
        assert f"{evaluation.figures[key]:.2f} %" in text
    assert (f"All {num_classes:,} classes" in text) == (num_classes > 20)


def test_before_evaluation_the_page_shows_the_training(run: Path) -> None:
    page = HtmlPage(render_report(run))
    assert page.tags.count("img") == 3
    assert "not been evaluated" in page.text


def test_before_training_the_page_says_so(tmp_path: Path) -> None:
    assert "Nothing has been measured yet" in render_report(tmp_path)


@pytest.mark.slow
def test_bad_files_of_training_and_evaluation_are_listed_once(run: Path) -> None:
    rows = [{"path": "a.jpg", "reason": "empty"}, {"path": "b.jpg", "reason": "torn"}]
    (run / "bad_files.json").write_text(json.dumps(rows), encoding="utf-8")
    page = render_report(run, evaluation_of(("a", "b"), arrays(2), rows[1:]))
    assert page.count("b.jpg") == 1
    assert "2 files could not be read" in page


def test_an_image_that_has_vanished_has_no_thumbnail(run: Path, tmp_path: Path) -> None:
    split = FileSplit(tmp_path, ("gone.png",) * 6, torch.tensor([0, 1] * 3))
    page = HtmlPage(render_report(run, evaluation_of(("a", "b"), split)))
    assert page.tags.count("img") == 4


def test_a_report_that_cannot_be_written_is_a_clear_error(run: Path) -> None:
    with pytest.raises(RunError, match="cannot write the report"):
        write_report(run / "no folder" / "report.html", run)
    assert (
        write_report(run / "report.html", run).read_text(encoding="utf-8").startswith("<!DOCTYPE")
    )
