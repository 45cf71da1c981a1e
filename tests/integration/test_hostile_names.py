"""Class and file names that attack whoever reads them, through the commands that show them."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from PIL import Image

from resnext.cli.main import main

CLASSES = (
    "\x1b]0;owned\x07",
    "=HYPERLINK(1)",
    "<script>alert(1)<",
    "[red]x[/red]",
    "a\nb\r\x9bc\u202ed",
    "![i](javascript:alert(1))|`$\\frac{$",
)
_HONEST_LINKS = ("https://arxiv.org/", "https://huggingface.co/docs/", "config.yaml", "curves.png")


def _folder_name(name: str) -> str:
    return name.replace("/", "\u2215")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile") / "photos"
    for index, name in enumerate(CLASSES):
        for split, num_images in (("train", 6), ("val", 2)):
            folder = root / split / _folder_name(name)
            folder.mkdir(parents=True)
            for number in range(num_images):
                colour = (40 * index, 255 - 40 * index, 20 * number)
                Image.new("RGB", (24, 24), colour).save(folder / f"\x1b[2J{number}.png")
    (root / "val" / _folder_name(CLASSES[0]) / "=\x1b[2Jbroken.png").write_bytes(b"\x89PNG\r\n")
    return root


@pytest.fixture(scope="module")
def run(photos: Path) -> Path:
    out = photos.parent / "run"
    words = ["train", "--data", str(photos), "--model", "resnext_1-1_2x4d", "--epochs", "1"]
    words += ["--image-size", "24", "--device", "cpu", "--threads", "1", "--workers", "0"]
    assert main([*words, "--batch-size", "12", "--out", str(out)]) == 0
    return out


def _check_printed(text: str) -> None:
    acting = {
        char for char in text if (ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0
    }
    assert not acting
    assert "\u202e" not in text


def test_training_and_evaluating_print_harmless_text(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _check_printed("".join(capsys.readouterr()))  # of training, if this test started it
    assert main(["evaluate", str(run), "--report", str(tmp_path / "report.html")]) in (0, 1)
    captured = capsys.readouterr()
    _check_printed(captured.out + captured.err)
    assert "broken" in captured.err
    assert main(["train", "--resume", str(run), "--data", "\x1b[2J"]) == 2
    _check_printed(capsys.readouterr().err)


@pytest.mark.parametrize("form", ["--json", "--csv", "--table"])
def test_predictions_are_harmless_in_each_form(
    form: str, photos: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", str(run), str(photos / "val"), "--device", "cpu"]
    assert main([*words, *([] if form == "--table" else [form])]) == 1  # a file is broken
    captured = capsys.readouterr()
    _check_printed(captured.out + captured.err)
    if form == "--json":
        names = {guess["class"] for row in json.loads(captured.out) for guess in row["predictions"]}
        assert names <= {_folder_name(name) for name in CLASSES}
    if form == "--csv":
        rows = list(csv.reader(io.StringIO(captured.out)))
        assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for row in rows for cell in row)
        assert any(row[2] == "'=HYPERLINK(1)" for row in rows)


class _Elements(HTMLParser):
    """Collects what a page could do."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.handlers.append(name)
            if name in ("href", "src", "action", "srcset", "formaction"):
                self.addresses.append(value or "")


def test_the_report_shows_the_names_and_nothing_else(run: Path) -> None:
    page = _Elements()
    page.feed((run / "report.html").read_text(encoding="utf-8"))
    assert page.handlers == []
    assert not page.tags & {"script", "iframe", "object", "embed", "base", "form"}
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)


def test_the_model_card_shows_the_names_and_nothing_else(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "card"
    title = "x\n---\n# <b>[t](javascript:alert(1))"
    words = ["publish", str(run), "--to", str(out), "--title", title, "--licence", "a: b\n---"]
    assert main(words) == 0
    captured = capsys.readouterr()
    _check_printed(captured.out + captured.err)
    text = (out / "README.md").read_text(encoding="utf-8")
    _check_printed(text)
    _, metadata, body = text.split("---\n", 2)
    assert yaml.safe_load(metadata)["license_name"] == r"a: b\n---"
    page = _Elements()
    page.feed(MarkdownIt("commonmark").enable("table").render(body))
    assert page.tags <= {
        *("h1", "h2", "p", "em", "a", "img", "ul", "li", "code", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert all(address.startswith(_HONEST_LINKS) for address in page.addresses)
