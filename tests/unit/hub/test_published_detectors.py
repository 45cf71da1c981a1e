"""A published detector opens and finds the same objects; its model card says how to use it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from small_detector import SMALL, save_detector

import resnext
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights


def test_a_published_detector_finds_the_same(tmp_path: Path) -> None:
    save_detector(tmp_path / "net.safetensors")
    resnext.save_pretrained(tmp_path / "net.safetensors", tmp_path / "hub", licence="apache-2.0")
    image = torch.rand(3, 60, 90, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        (wanted,) = resnext.load(tmp_path / "net.safetensors").module([image])
        (found,) = resnext.load(tmp_path / "hub").module([image])
    assert len(found["boxes"]) > 10
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("family", ["retinanet", "mask_rcnn", "faster_rcnn_c4"])
def test_the_model_card_says_how_to_use_it(tmp_path: Path, family: str) -> None:
    config = SMALL.replace(family=family)
    card = ModelCard(task="detection", classes=("ant", "bee", "cat"), data="garden")
    save_weights(tmp_path / "net.safetensors", create_model(config), config, card)
    resnext.save_pretrained(tmp_path / "net.safetensors", tmp_path / "hub")
    text = (tmp_path / "hub/README.md").read_text(encoding="utf-8")
    assert "pipeline_tag: object-detection" in text
    assert "A network that finds objects of 3 classes" in text
    assert "short side of 64 px" in text
    assert "centre crop" not in text
    assert (
        "it finds objects" in json.loads((tmp_path / "hub/config.json").read_text())["not_in_timm"]
    )
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(code.replace('"hub"', repr(str(tmp_path / "hub"))), names)
    found = names["found"]
    assert isinstance(found, dict)
    assert {"boxes", "scores", "labels"} <= found.keys()
