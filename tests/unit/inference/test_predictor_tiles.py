"""A predictor cuts images that are too large, or that a file of one size does not take."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnext.errors import ConfigError
from resnext.inference.predictor import Predictor
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.tasks.segmentation import tiles
from resnext.tasks.segmentation.answer import MaskAnswer

CONFIG = SegmenterConfig(
    family="fcn",
    num_classes=3,
    backbone=ResNeXtConfig(stem="cifar", blocks_per_stage=(1,), num_classes=0),
)
CARD = ModelCard(classes=("red", "green", "blue"), task="segmentation", image_size_px=16)


def strongest_colour(sizes: list[tuple[int, ...]], *, dynamic: bool = True) -> Predictor:
    """Return a network whose class is the strongest channel, and which notes what it is given."""

    def infer(batch: Any) -> Any:
        sizes.append(batch.shape[1:3])
        return batch.transpose(0, 3, 1, 2).astype(np.float32)

    spec = ExportSpec(format="onnx", input="pixels", size_px=16, dynamic_size=dynamic)
    return Predictor(Exported(Path("net.onnx"), CONFIG, CARD, spec, infer))


def noise(height: int, width: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def mask_of(found: Predictor, image: Any) -> Any:
    (answer,) = found.answers_to([image], 1)
    assert isinstance(answer, MaskAnswer)
    return answer.mask_hw


def test_only_an_image_above_the_limit_is_cut(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tiles, "MAX_WHOLE_PIXELS", 1200 * 1100)
    sizes: list[tuple[int, ...]] = []
    found = strongest_colour(sizes)
    with caplog.at_level(logging.WARNING):
        for height, width in ((1200, 1100), (1201, 1100), (1300, 1100)):
            image = noise(height, width)
            assert np.array_equal(mask_of(found, image), image.argmax(axis=2))
    assert sizes[0] == (1200, 1100)
    assert max(max(size) for size in sizes[1:]) == 1024
    assert [record.getMessage()[:29] for record in caplog.records] == [
        "an image of 1100 x 1201 px is"
    ]


@pytest.mark.parametrize("sides", [(16, 16), (5, 40), (70, 33)])
def test_a_file_of_one_size_takes_images_of_any(sides: tuple[int, int]) -> None:
    sizes: list[tuple[int, ...]] = []
    image = noise(*sides)
    found = mask_of(strongest_colour(sizes, dynamic=False), image)
    assert np.array_equal(found, image.argmax(axis=2))
    assert set(sizes) == {(16, 16)}


def test_a_card_with_a_task_of_other_networks_is_refused() -> None:
    card, spec = CARD.replace(task="classification"), ExportSpec(format="onnx", size_px=16)
    with pytest.raises(ConfigError, match="classifies the whole image"):
        Predictor(Exported(Path("net.onnx"), CONFIG, card, spec, lambda batch: batch))
