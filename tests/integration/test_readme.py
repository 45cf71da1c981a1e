"""The first hour as the README writes it, each command after the other in one folder."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.slow


def commands_below(heading: str) -> list[list[str]]:
    """Return the words of the commands of a section that end by themselves and need no net."""
    section = README.partition(f"\n{heading}\n")[2]
    section = re.split(r"^#", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = re.findall(r"^    \$ resnext (.*)$", section, re.MULTILINE)
    return [
        shlex.split(line) for line in lines if not re.match(r"serve|weights|.* --weights", line)
    ]


def make_photos(folder: Path) -> None:
    """Make two classes of small pictures, dark ones and bright ones."""
    random = np.random.default_rng(0)
    for name, brightness in (("cat", 40), ("dog", 180)):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 70, (40, 52, 3), dtype=np.uint8) + np.uint8(brightness)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def test_the_first_hour_with_own_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    monkeypatch.chdir(tmp_path)
    make_photos(Path("photos"))
    commands = commands_below("## Your own photos")
    assert [words[0] for words in commands] == ["data", "train", "evaluate", "predict", "export"]
    for words in commands:
        # one epoch: whether the network is of any use is not the question (status 3)
        more = ["--epochs", "1", "--threads", "1"] if words[0] == "train" else []
        assert main([*words, *more]) in ((0, 3) if more else (0,)), words
    assert Path("runs/photos/report.html").exists()
    assert Path("photos.onnx").exists()


def test_the_first_hour_without_photos_names_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="the extra `export` is not installed")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "samples", "samples")
    commands = commands_below("### Without photos")
    assert [words[0] for words in commands] == ["train", "evaluate", "predict", "export"]
    for words in commands:
        capsys.readouterr()
        assert main(words) == 0, words
        if words[0] == "predict":
            assert re.search(r"seven\.png\s*│ 7 ", capsys.readouterr().out)
    assert Path("demo.onnx").exists()
