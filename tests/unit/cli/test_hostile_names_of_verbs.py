"""Names of files and classes that act on a terminal, a spreadsheet or a page, through the verbs."""

import contextlib
import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from command import Command
from html_page import HtmlPage
from markdown_it import MarkdownIt
from PIL import Image

from resnext.cli.main import main

CLASSES = (
    "\x1b]0;owned\x07[red]x[bold]",
    "=cmd|'A1'",
    "a\nb\r\u202e :smile: \x9b2J",
    "<script>$x$",
    "[link=x]x",
    "![i](javascript:alert(1))|`$\\frac{$",
)
FOLDER = "photos\x1b[31m"
SMALL = ["--model", "resnext11_2x4d", "--epochs", "1", "--image-size", "16", "--batch-size", "8"]
OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r")
"""What rich writes on a terminal: colours, the cursor hidden and moved up, a line removed."""
HONEST_LINKS = ("https://arxiv.org/", "https://huggingface.co/docs/", "config.yaml", "curves.png")


def write_images(root: Path, classes: tuple[str, ...] = CLASSES) -> None:
    for split in ("train", "val"):
        for label, name in enumerate(classes):
            (root / split / name).mkdir(parents=True)
            for number in range(4):
                start = "=" if number % 2 else "\x1b[2J"
                file = f"{start}\n[link=x]{number}\udcfe.png"  # the last is no UTF-8
                image = Image.new("RGB", (24, 24), (40 * label, 30 * number, 90))
                # from an open file, as Pillow adds the name to its errors
                with (root / split / name / file).open("wb") as stream:
                    image.save(stream, "PNG")
    (root / "val" / classes[0] / "\x1b[8mtorn\udcff.png").write_bytes(b"\x89PNG")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with photos and the run of a training on them, and what was printed."""
    place = tmp_path_factory.mktemp("hostile")
    write_images(place / FOLDER)
    written = io.StringIO()
    arguments = ["train", "--data", str(place / FOLDER), "--out", str(place / "run\x1b[1m")]
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        assert main([*arguments, *SMALL, "--workers", "0"]) == 0
    return place, written.getvalue()


@pytest.fixture
def place(trained: tuple[Path, str]) -> Path:
    return trained[0]


def run_of(place: Path) -> str:
    return str(place / "run\x1b[1m")


def assert_harmless(text: str) -> None:
    found = {char for char in text if not (char == "\n" or char.isprintable())}
    assert not found


def test_training_prints_names_harmlessly(trained: tuple[Path, str]) -> None:
    assert_harmless(trained[1])
    assert r"run\x1b[1m" in trained[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb",
    [
        ["predict", "RUN", "VAL", "--top", "5"],
        ["predict", "RUN", "VAL", "--csv"],
        ["predict", "RUN", "VAL", "--json"],
        ["predict", "RUN", "VAL/\x1b[31mmissing"],
        ["evaluate", "RUN", "--workers", "0", "--report", "OUT/\x1b[3mr.html"],
        ["evaluate", "RUN", "--workers", "0", "--json", "--out", "OUT/\x1b[3mo.json"],
        ["probe", "RUN", "--method", "knn", "--k", "1", "--workers", "0"],
        ["features", "RUN", "--workers", "0", "--out", "OUT/\x1b[3mf.parquet"],
        ["pack", "DATA", "OUT/\x1b[3mp", "--workers", "1"],
        ["weights", "info", "RUN"],
        ["weights", "info", "RUN", "--json"],
        ["weights", "info", "\x1b[31mno/such"],
        ["weights", "list", "\x1b[31mnone"],
        ["describe", "RUN"],
        ["describe", "OUT/\x1b[31mmissing"],
        ["publish", "RUN", "--to", "OUT/\x1b[3mp"],
        ["data", "imagenet", "--check", "DATA"],
        ["train", "--data", "DATA/\x1b[31mmissing"],
        ["train", "--resume", "RUN", "--data", "\x1b[2J"],
        ["train", "--set", "\x1b[31mx=1"],
        ["study", "run", "\x1b[31mnone"],
        ["design", "--like", "\x1b[31mnone"],
        ["benchmark", "\x1b[31mnone"],
        ["convert", "OUT/\x1b[31mmissing", "OUT/x.safetensors"],
        ["export", "OUT/\x1b[31mmissing"],
    ],
    ids=lambda verb: "-".join(ascii(word).strip("'").replace("/", "") for word in verb)[:40],
)
def test_a_verb_prints_names_harmlessly(
    verb: list[str], place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(place / FOLDER)
    places = {"RUN": run_of(place), "VAL": f"{data}/val", "DATA": data, "OUT": str(tmp_path)}
    words = [re.sub("RUN|VAL|DATA|OUT", lambda found: places[found[0]], word) for word in verb]
    with contextlib.suppress(SystemExit):
        main(words)
    out, err = capsys.readouterr()
    assert_harmless(out)
    assert_harmless(err)
    assert "Traceback" not in err
    assert out + err


def test_json_keeps_the_names_and_csv_has_no_formula(place: Path, command: Command) -> None:
    words = ["predict", run_of(place), str(place / FOLDER / "val")]
    rows = json.loads(command(*words, "--json").out)
    assert {guess["class"] for row in rows for guess in row["predictions"]} == set(CLASSES)
    assert all(Path(row["path"]).is_file() for row in rows)
    table = list(csv.reader(io.StringIO(command(*words, "--csv").out)))
    assert len(table) == 1 + sum(max(1, len(row["predictions"])) for row in rows)
    assert "'=cmd|'A1'" in {row[2] for row in table}
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.usefixtures("here")
def test_a_relative_file_name_that_is_a_formula_is_quoted_in_csv(
    place: Path, command: Command
) -> None:
    Image.new("RGB", (9, 9)).save("=1+1.png")
    table = command.prints("predict", run_of(place), "=1+1.png", "--csv")
    assert table.splitlines()[1].startswith("'=1+1.png,1,")


def test_class_folders_that_are_not_utf8_are_refused(tmp_path: Path, command: Command) -> None:
    write_images(tmp_path / "photos", ("a", "bad\udcff"))
    words = ["train", "--data", str(tmp_path / "photos"), "--out", str(tmp_path / "run"), *SMALL]
    assert "bad\\udcff are not UTF-8" in command.refusal(*words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flag", ["--out", "--name"])
@pytest.mark.usefixtures("here")
def test_a_run_whose_name_is_not_utf8_is_refused(flag: str, command: Command) -> None:
    assert "must be UTF-8" in command.refusal("train", flag, "x\udcff", *SMALL)


def test_a_recipe_of_a_file_does_not_lead_the_run_elsewhere(
    place: Path, here: Path, command: Command
) -> None:
    settings = yaml.safe_load((Path(run_of(place)) / "config.yaml").read_text(encoding="utf-8"))
    settings |= {"recipe": "x/../../elsewhere", "data": {"name": "digits"}}
    Path("config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert "separator" in command.refusal("train", "--config", "config.yaml")
    assert [path.name for path in here.iterdir()] == ["config.yaml"]


@pytest.mark.slow
def test_a_folder_that_is_not_utf8_can_be_evaluated_and_embedded(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "photos\udcff"
    write_images(data)
    given = ["--data", str(data), "--workers", "0"]
    out = tmp_path / "figures\udcff.json"
    report = tmp_path / "report\udcff.html"
    run = run_of(place)
    assert main(["evaluate", run, *given, "--out", str(out), "--report", str(report)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["data"]["root"] == str(data)
    assert "<h1>" in report.read_text(encoding="utf-8")
    features = str(tmp_path / "f.parquet")
    assert main(["features", run, str(data), "--workers", "0", "--out", features]) == 0
    assert main(["features", run, "--out", str(tmp_path / "f\udcff.parquet")]) == 2
    out_text, err = capsys.readouterr()
    assert_harmless(out_text + err)
    assert "torn" in err


def test_the_report_shows_the_names_and_nothing_else(place: Path) -> None:
    page = HtmlPage((Path(run_of(place)) / "report.html").read_text(encoding="utf-8"))
    assert [name for name in page.attributes if name.startswith("on")] == []
    assert page.tags.count("script") == 1  # the one that sorts tables
    assert not set(page.tags) & {"iframe", "object", "embed", "base", "form"}
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)


def test_the_model_card_shows_the_names_and_nothing_else(
    place: Path, tmp_path: Path, command: Command
) -> None:
    title = "x\n---\n# <b>[t](javascript:alert(1))"
    words = ["--title", title, "--licence", "a: b\n---"]
    assert_harmless(command.prints("publish", run_of(place), "--to", tmp_path / "card", *words))
    text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
    assert_harmless(text)
    _, metadata, body = text.split("---\n", 2)
    assert yaml.safe_load(metadata)["license_name"] == r"a: b\n---"
    page = HtmlPage(MarkdownIt("commonmark").enable("table").render(body))
    assert set(page.tags) <= {
        *("h1", "h2", "p", "em", "a", "img", "ul", "li", "code", "pre"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert all(address.startswith(HONEST_LINKS) for address in page.addresses)


@pytest.mark.slow
def test_on_a_terminal_only_our_own_sequences_remain(place: Path) -> None:
    words = ["evaluate", run_of(place), "--workers", "0"]
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "resnext", *words],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    os.close(inside)
    written = b""
    with contextlib.suppress(OSError):  # the other side is closed
        while part := os.read(terminal, 65536):
            written += part
    os.close(terminal)
    assert process.wait() == 0
    text = written.decode("utf-8")
    assert "\x1b[1m" in text  # a terminal gets colours
    assert_harmless(OURS.sub("", text))
    assert r"\x1b]0;owned\x07[red]x[bold]" in text
