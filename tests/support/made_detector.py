"""A detector that is a few lines of arithmetic: it finds the rectangle of each pure colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from made_service import CONFIG
from PIL import Image
from starlette.testclient import TestClient

from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ResNeXtConfig
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving.app import create_app
from resnext.serving.limits import Limits
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

CLASSES = ("red", "green", "blue")
SCORES = (0.9, 0.6, 0.3)
"""Of the objects of each class."""

CARD = ModelCard(classes=CLASSES, task="detection", image_size_px=64, resize_px=None)
_BACKBONE = ResNeXtConfig(
    blocks_per_stage=(1, 1, 1, 1),
    stage_widths=(16, 32, 48, 64),
    stem_width=8,
    cardinality=2,
    num_classes=0,
)
assert CONFIG.in_channels == _BACKBONE.in_channels

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


def detector(family: str = "mask_rcnn") -> DetectorConfig:
    return DetectorConfig(family=family, backbone=_BACKBONE, num_classes=3, min_size_px=64)


def find_colours(config: DetectorConfig) -> Any:
    """Return a network that finds the box around the pixels of each pure colour."""

    def infer(batch: Any) -> Any:
        rows = np.zeros((len(batch), config.num_rows, config.num_columns), np.float32)
        for image_hwc, rows_nx in zip(batch, rows, strict=True):
            for label, score in enumerate(SCORES):
                ys, xs = np.nonzero((image_hwc == 255 * np.eye(3)[label]).all(axis=2))
                if len(ys):
                    box = (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
                    rows_nx[label, :6] = (*box, score, label)
                    rows_nx[label, 6:] = 1
        return rows

    return infer


def detector_model(family: str = "mask_rcnn") -> ServedModel:
    config = detector(family)
    spec = ExportSpec(format="onnx", input="pixels", size_px=64, dynamic_size=True)
    exported = Exported(Path("colours.onnx"), config, CARD, spec, find_colours(config))
    return ServedModel(exported, "colours")


def detector_client(family: str = "mask_rcnn", **limits: Any) -> TestClient:
    """Return a client of a service of that network, to be entered with `with`."""
    model = detector_model(family)
    return TestClient(create_app(Service(lambda: model, Limits(**limits))))


def picture(
    width: int, height: int, rectangles: Sequence[Rectangle | None], form: str = "PNG"
) -> bytes:
    """Return a file with a rectangle of each class; None leaves one out."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    for label, rectangle in enumerate(rectangles):
        if rectangle is not None:
            left, top, right, bottom = rectangle
            pixels[top:bottom, left:right] = 255 * np.eye(3, dtype=np.uint8)[label]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()
