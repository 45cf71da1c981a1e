"""A network for pixels as it is published: its card, and the file that opens again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import resnext
from resnext.hub.save import save_pretrained
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork

CARD = ModelCard(
    data="streets",
    classes=("road", "sky", "car"),
    task="segmentation",
    image_size_px=64,
    resize_px=None,
    metrics={"mean_iou": 61.25},
)
BODY = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    stage_widths=(8, 16, 24, 32),
    stem_width=8,
    cardinality=2,
    num_classes=0,
    form="a",
)


@pytest.mark.parametrize("family", ["fcn", "unet"])
def test_a_published_network_opens_again_and_its_card_says_what_it_is(
    tmp_path: Path, family: str
) -> None:
    torch.manual_seed(0)
    config = SegmenterConfig(family=family, backbone=BODY, num_classes=3)
    module = create_model(config).eval()
    save_pretrained(TrainedNetwork(module, config, CARD), tmp_path / "out")
    loaded = resnext.load(tmp_path / "out")
    assert isinstance(loaded.config, SegmenterConfig)
    assert (loaded.config.backbone.form, loaded.card.task) == ("c", "segmentation")
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(images), module(images), rtol=1e-4, atol=1e-5)
    text = (tmp_path / "out" / "README.md").read_text()
    for part in (
        "pipeline_tag: image-segmentation",
        "gives every pixel one of 3 classes",
        "used at their own size",
        "mIoU",
        ".argmax(dim=1)",
        "| blocks per stage | 1, 1, 1, 1 |",
        f"`timm.create_model` cannot open it: it gives every pixel a class ({family})",
    ):
        assert part in text, part
    described = json.loads((tmp_path / "out" / "config.json").read_text())
    assert described["label_names"] == list(CARD.classes)


@pytest.mark.slow
def test_torchvision_opens_its_own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the example names the folder as it was named
    module = create_model("fcn_resnet50", num_classes=3).eval()
    save_pretrained(TrainedNetwork(module, module.config, CARD), tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    (code,) = [part for part in text.split("```")[1::2] if "load_state_dict" in part]
    names: dict[str, torch.nn.Module] = {}
    exec(code.removeprefix("python"), names)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(names["model"](images)["out"], module(images))
