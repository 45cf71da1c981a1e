"""The commands of README.md, then those that docs/start.md adds, as they are written."""

import re
import shlex
import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest
from command import Command
from PIL import Image
from serving_process import ServiceProcess

ROOT = Path(__file__).parents[2]
README, START = (
    (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/start.md")
)
COMMANDS = list(dict.fromkeys(re.findall(r"^    \$ resnext (.*)$", README + START, re.MULTILINE)))

NOT_RUN = {
    "train --data photos/ --pretrained": "downloads weights",
    "train --data photos/ --weights resnext50_32x4d.a1h_in1k": "downloads weights",
    "evaluate runs/photos --split test": "for sets with a test/, says the page",
}

SHORTER = {
    "train --data photos/": ["--epochs", "1", "--threads", "1"],
    "benchmark": ["--runtime", "eager", "--size", "32", "--rounds", "2"],
    "study run": ["--seeds", "0", "--set", "schedule.epochs=1"],
}
"""What is added to commands that begin so: the rest of them is run as it is written."""

MAY_LEARN_NOTHING = ("train --data photos/", "train --resume")  # status 3: one epoch on noise

pytestmark = pytest.mark.slow


def make_photos(folder: Path) -> None:
    """Make two classes of small pictures, dark ones and bright ones."""
    random = np.random.default_rng(0)
    for name, brightness in (("cat", 40), ("dog", 180)):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 70, (40, 52, 3), dtype=np.uint8) + np.uint8(brightness)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def serve(words: list[str]) -> None:
    """Start the service, look at the page that the documentation names, and end it."""
    with ServiceProcess(Path(words[1]), *words[2:], "--with-page") as service:
        assert httpx.get(service.url, follow_redirects=True, timeout=60).status_code == 200
        assert service.end() in (0, 1)  # 1: a connection of the page was cut off


def run(line: str, command: Command) -> str:
    """Run a command in the working folder, and return what it prints."""
    words = shlex.split(line)
    if words[0] == "serve":
        serve(words)
        return ""
    added = next((more for start, more in SHORTER.items() if line.startswith(start)), [])
    status, out, err = command(*words, *added)
    assert status in ((0, 3) if line.startswith(MAY_LEARN_NOTHING) else (0,)), (line, out, err)
    return out


@pytest.mark.usefixtures("here")
def test_the_commands_run_one_after_the_other(command: Command) -> None:
    for extra in ("onnx", "onnxruntime", "gradio"):
        pytest.importorskip(extra, reason="the extras `export` and `serve` are not installed")
    make_photos(Path("photos"))
    shutil.copytree(ROOT / "samples", "samples")
    for line in COMMANDS:
        if line in NOT_RUN:
            continue
        out = run(line, command)
        if "samples/seven.png" in line:
            assert re.search(r"seven\.png\s*│ 7 ", out)
    for file in ("runs/photos/report.html", "runs/demo/report.html", "photos.onnx"):
        assert Path(file).stat().st_size > 0
    (program,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    exec(compile(program, "README.md", "exec"), {})


def test_what_is_treated_specially_stands_on_a_page() -> None:
    assert NOT_RUN.keys() <= set(COMMANDS)
    assert len(COMMANDS) > 4 * len(NOT_RUN)
    for start in SHORTER:
        assert any(line.startswith(start) for line in COMMANDS), start


def test_every_make_verb_of_the_documentation_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        found = re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))
        assert set(found) <= known, page.name
    assert set(re.findall(r"make ([a-z-]+)  ", makefile)) <= known  # of `make help`
