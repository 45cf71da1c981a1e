"""Backbones of other libraries' detectors go into classifiers; detectors are converted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from command import Command
from small_detector import SMALL, save_detector

import resnext
from resnext.model.config import DetectorConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.change import to_start_from
from resnext.weights.source import open_weights

State = dict[str, torch.Tensor]
BODY = SMALL.backbone
DETECTRON2 = {
    "downsample.0.": "shortcut.",
    "downsample.1.": "shortcut.norm.",
    "bn1.": "conv1.norm.",
    "bn2.": "conv2.norm.",
    "bn3.": "conv3.norm.",
}


def body() -> tuple[State, torch.nn.Module]:
    torch.manual_seed(0)
    network = create_model(BODY, out_indices=(4,)).eval()
    return network.state_dict(), network


def as_mmdetection(state: State) -> State:
    """Give a backbone the names of mmdetection's RetinaNet, whose norms may count no batches."""
    named = {f"backbone.{name}": tensor for name, tensor in state.items()}
    return named | {
        "neck.lateral_convs.0.conv.weight": torch.zeros(8, 32, 1, 1),
        "neck.fpn_convs.0.conv.weight": torch.zeros(8, 8, 3, 3),
        "bbox_head.cls_convs.0.conv.weight": torch.zeros(8, 8, 3, 3),
        "bbox_head.retina_cls.weight": torch.zeros(27, 8, 3, 3),
    }


def as_detectron2(state: State) -> State:
    """Give a backbone the names of detectron2's detectors, whose BN is frozen."""
    named: State = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if not name.startswith("layer"):
            name = f"stem.{name.replace('bn1.', 'conv1.norm.')}"
        else:
            layer, rest = name.split(".", 1)
            for ours, theirs in DETECTRON2.items():
                block, _, inner = rest.partition(".")
                if inner.startswith(ours):
                    rest = f"{block}.{theirs}{inner.removeprefix(ours)}"
                    break
            name = f"res{int(layer[-1]) + 1}.{rest}"
        named[f"backbone.bottom_up.{name}"] = tensor
    return named | {
        "backbone.fpn_lateral2.weight": torch.zeros(8, 16, 1, 1),
        "proposal_generator.rpn_head.conv.weight": torch.zeros(8, 8, 3, 3),
        "roi_heads.box_predictor.cls_score.weight": torch.zeros(4, 8),
    }


@pytest.mark.parametrize("is_detectron2", [False, True])
def test_the_backbone_of_another_librarys_detector_is_taken(
    tmp_path: Path, is_detectron2: bool
) -> None:
    state, network = body()
    file = {"model": as_detectron2(state)} if is_detectron2 else as_mmdetection(state)
    torch.save(file, tmp_path / "net.pth")
    weights = to_start_from(open_weights(tmp_path / "net.pth"))
    assert not weights.has_head
    backbone = resnext.load(tmp_path / "net.pth", out_indices=(4,)).module
    image = torch.rand(1, 3, 64, 64)
    ours = image.flip(1) if is_detectron2 else image  # it takes blue, green, red
    with torch.no_grad():
        torch.testing.assert_close(backbone(ours)[0], network(image)[0])


def test_training_starts_from_the_backbone_of_a_detector(tmp_path: Path) -> None:
    torch.save(create_model(SMALL.replace(frozen_norm=True)).state_dict(), tmp_path / "net.pth")
    weights = to_start_from(open_weights(tmp_path / "net.pth"))
    assert isinstance(weights.config, ResNeXtConfig)
    assert not weights.has_head
    with torch.device("meta"):
        wanted = create_model(weights.config).state_dict()
    assert weights.state.keys() == wanted.keys()


@pytest.mark.parametrize("kind", ["safetensors", "torchvision"])
def test_a_detector_is_converted(command: Command, tmp_path: Path, kind: str) -> None:
    save_detector(tmp_path / "net.safetensors")
    suffix = ".pth" if kind == "torchvision" else ".safetensors"
    out = tmp_path / f"out{suffix}"
    answer = command("convert", tmp_path / "net.safetensors", out, "--format", kind)
    if kind == "torchvision":  # its widths are not torchvision's
        assert "torchvision has no such network" in answer.err
        return
    assert answer.status == 0, answer.err
    loaded = resnext.load(out)
    assert isinstance(loaded.config, DetectorConfig)
    wanted = resnext.load(tmp_path / "net.safetensors").module.state_dict()
    found = loaded.module.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def test_a_detector_gets_no_other_classes(command: Command, tmp_path: Path) -> None:
    save_detector(tmp_path / "net.safetensors")
    out = tmp_path / "out.safetensors"
    told = command.refusal("convert", tmp_path / "net.safetensors", out, "--num-classes", "7")
    assert "only classifiers can be adapted" in told
    assert not out.exists()
