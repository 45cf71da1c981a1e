"""A detector that is small and fast, with random weights."""

from __future__ import annotations

from pathlib import Path

import torch

from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights

SMALL = DetectorConfig(
    family="retinanet",
    backbone=ResNeXtConfig(
        blocks_per_stage=(1, 1, 1, 1),
        stage_widths=(16, 32, 48, 64),
        stem_width=8,
        cardinality=2,
        num_classes=0,
    ),
    num_classes=3,
    min_size_px=64,
    max_size_px=96,
)
WIDE_GROUPS = SMALL.backbone.replace(bottleneck_width=10)
"""A backbone whose groups ONNX files keep, so that both formats begin with the same graph."""

CLASSES = ("ant", "bee", "cat")


def save_detector(path: Path) -> None:
    """Write a weight file whose network finds objects everywhere."""
    torch.manual_seed(0)
    network = create_model(SMALL)
    last = network.get_submodule("head.classification_head.cls_logits")
    assert isinstance(last, torch.nn.Conv2d)
    assert last.bias is not None
    torch.nn.init.normal_(last.weight, std=0.5)
    torch.nn.init.zeros_(last.bias)
    save_weights(path, network, SMALL, ModelCard(task="detection", classes=CLASSES))
