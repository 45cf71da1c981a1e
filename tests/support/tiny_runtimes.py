"""A small network as an exported file, with and without a checksum."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import torch
from tiny_networks import tiny_config

from resnext.export.export import spec_of, write_file
from resnext.export.options import ExportOptions
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.open import SUFFIXES

_CONFIG = tiny_config(
    blocks_per_stage=(1,), cardinality=2, stage_widths=(8,), stem_width=4, num_classes=3
)


def export(path: Path, *, sealed: bool = True) -> Path:
    """Write a network; without a checksum as older versions did, and as anybody can."""
    torch.manual_seed(0)
    card = ModelCard(classes=("ant", "bee", "cat"), image_size_px=8, resize_px=8)
    loaded = TrainedNetwork(create_model(_CONFIG).eval(), _CONFIG, card)
    spec = spec_of(loaded, ExportOptions(to=SUFFIXES[path.suffix]))
    if sealed:
        write_file(loaded, path, spec)
        return path
    with (
        patch("resnext.runtimes.spec.SEALED", ()),
        patch("resnext.export.write.seal"),
        patch("resnext.export.write_onnx.seal"),
    ):
        write_file(loaded, path, spec)
    return path
