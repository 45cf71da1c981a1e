"""What docs/detection.md shows works as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

import resnext
from resnext.model.config import DetectorConfig

PAGE = (Path(__file__).parents[2] / "docs" / "detection.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def draw_cells(root: Path, num: int) -> None:
    """Draw dark squares on light images, with their boxes."""
    (root / "train").mkdir(parents=True)
    images, annotations = [], []
    for number in range(num):
        left = 10 + 7 * number
        image = Image.new("RGB", (96, 64), "white")
        ImageDraw.Draw(image).rectangle((left, 20, left + 30, 50), fill="navy")
        image.save(root / "train" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 64})
        box = [left, 20, 31, 31]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": box})
    categories = [{"id": 1, "name": "cell"}]
    values = {"images": images, "annotations": annotations, "categories": categories}
    path = root / "train" / "_annotations.coco.json"
    path.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.slow
def test_the_loop_of_the_page_trains_a_detector(here: Path) -> None:
    draw_cells(here / "cells", 4)
    program = PROGRAMS[-1].replace("range(12)", "range(1)")
    assert "range(1)" in program
    program = program.replace("min_size_px=144, max_size_px=224", "min_size_px=64, max_size_px=96")
    exec(compile(program, "detection.md", "exec"), {})
    trained = resnext.load("cells.safetensors")
    assert isinstance(trained.config, DetectorConfig)
    assert trained.classes == ("cell",)


@pytest.mark.slow
def test_the_network_of_the_page_finds_boxes() -> None:
    found: dict[str, torch.Tensor] = {}
    names: dict[str, object] = {}
    exec(compile(PROGRAMS[0].replace("480", "96").replace("640", "128"), "page", "exec"), names)
    result = names["found"]
    assert isinstance(result, dict)
    found.update(result)
    assert found.keys() == {"boxes", "scores", "labels"}
    assert found["boxes"].shape[1:] == (4,)
