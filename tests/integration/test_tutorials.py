"""The tutorials work from top to bottom, as they are written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Command
from PIL import Image
from serving_process import ServiceProcess
from small_detector import CLASSES, save_detector

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8000"
ADDED = {
    "train --data digits": "--epochs 1 --threads 1",
    "train --data audio": "--epochs 3 --threads 1",
    "train --data coco": "--epochs 1 --threads 1 --image-size 64",
}
"""What is added to commands that begin so; the rest of them is run as it is written."""

STEP = re.compile(
    r"^```python\n(?P<python>.*?)^```|^    \$ (?P<shell>[^\n]*)$", re.DOTALL | re.MULTILINE
)

pytestmark = pytest.mark.slow


class Tutorial:
    """Runs the steps of a page in the working folder; a service runs until the page ends."""

    def __init__(self, page: str, command: Command, stack: ExitStack) -> None:
        self._text = (ROOT / "docs/tutorials" / page).read_text(encoding="utf-8")
        self._command = command
        self._stack = stack
        self._url = ""
        self.outputs: list[str] = []

    def run(self, capsys: pytest.CaptureFixture[str]) -> list[str]:
        """Run all steps, and return what each of them printed."""
        for step in STEP.finditer(self._text):
            if step["python"] is not None:
                program = step["python"].replace(ADDRESS, self._url)
                exec(compile(program, "tutorial", "exec"), {})
                self.outputs.append(capsys.readouterr().out)
            else:
                self.outputs.append(self._shell(step["shell"].replace(ADDRESS, self._url)))
        return self.outputs

    def _shell(self, line: str) -> str:
        if line.startswith("curl "):
            return self._curl(shlex.split(line))
        verb, *words = shlex.split(line.removeprefix("resnext ").partition(" > ")[0])
        if verb == "serve":
            service = self._stack.enter_context(ServiceProcess(Path(words[0])))
            self._url = service.url
            return ""
        added = next((more for start, more in ADDED.items() if line[8:].startswith(start)), "")
        status, out, err = self._command(verb, *words, *added.split())
        assert status in (0, 3), (line, err)
        if " > " in line:
            Path(line.partition(" > ")[2]).write_text(out, encoding="utf-8")
        return out

    def _curl(self, words: list[str]) -> str:
        if words[1] == "-LO":  # a download, which the test has put there
            assert Path(words[2].rpartition("/")[2]).exists()
            return ""
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("here")
def test_deploy(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    for extra in ("onnx", "onnxruntime", "fastapi"):
        pytest.importorskip(extra, reason="the extras `export` and `serve` are not installed")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shutil.copytree(ROOT / "samples", "samples")
    with ExitStack() as stack:
        *_, predicted, best, _, by_curl, model, by_python = Tutorial(
            "deploy.md", command, stack
        ).run(capsys)
    answer: dict[str, Any] = json.loads(by_curl)
    found = answer["images"][0]["predictions"]
    assert [one["class"] for one in found] == [line.split()[0] for line in by_python.splitlines()]
    assert json.loads(model)["classes"][int(best)] == found[0]["class"]
    assert re.search(rf"seven\.png\s*│ {found[0]['class']} ", predicted)


def draw_street(folder: Path) -> None:
    """Draw images of noise, each with one object."""
    random = np.random.default_rng(0)
    for split in ("train", "valid"):
        (folder / split).mkdir(parents=True)
        images, boxes = [], []
        for number in range(3):
            pixels = random.integers(0, 256, (60, 90, 3), np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{number}.jpg")
            images.append({"id": number, "file_name": f"{number}.jpg", "width": 90, "height": 60})
            boxes.append(
                {"id": number, "image_id": number, "category_id": 1, "bbox": [9, 9, 40, 30]}
            )
        categories = [{"id": 1, "name": CLASSES[0]}]
        values = {"images": images, "annotations": boxes, "categories": categories}
        file = folder / split / "_annotations.coco.json"
        file.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.usefixtures("here")
def test_detect_objects(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faster_coco_eval", reason="the extra `detection` is not installed")
    save_detector(Path("retinanet_resnet50_fpn_coco-eeacb38b.pth"))  # in place of torchvision's
    draw_street(Path("street"))
    shutil.copytree("street/train", "photos", ignore=shutil.ignore_patterns("*.json"))
    with ExitStack() as stack:
        _, table, _, listed, by_module, check, figures, _, _ = Tutorial(
            "detect-objects.md", command, stack
        ).run(capsys)
    for folder in ("drawn", "drawn-street"):
        assert len(list(Path(folder).iterdir())) == 3
    assert CLASSES[0] in table + listed + by_module
    assert "street" in check
    assert "AP50" in figures
    assert Path("street.html").stat().st_size > 10_000


@pytest.mark.usefixtures("here")
def test_classify_sounds(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    for extra in ("soundfile", "onnx", "onnxruntime", "fastapi"):
        pytest.importorskip(extra, reason="audio, export and serve are not installed")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with ExitStack() as stack:
        _, check, _, measured, _, by_python, _, _, by_curl = Tutorial(
            "classify-sounds.md", command, stack
        ).run(capsys)
    assert "rising" in check
    assert "error" in measured
    assert Path("runs/sounds/report.html").stat().st_size > 10_000
    rows = Path("predictions.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 10 * 2
    *by_file, by_samples = by_python.splitlines()
    assert len(by_file) == 4
    assert by_file[0].split()[:2] == ["sounds/test/falling/0.wav", by_samples]
    found = json.loads(by_curl)["signals"][0]["predictions"]
    assert {one["class"] for one in found} == {"rising", "falling"}
