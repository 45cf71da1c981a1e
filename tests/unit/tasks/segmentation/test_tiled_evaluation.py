"""Images that are too large for one pass are evaluated in the tiles of prediction."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mask_folders import NAMES, tiny_segmenter, write_shapes
from torch import nn

from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.sets.load import load_data
from resnext.data.targets import IGNORED
from resnext.evaluation.run import measure
from resnext.evaluation.target import Protocol
from resnext.inference.predictor import Predictor
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runs.runtime import Runtime
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import as_trained
from resnext.runtimes.spec import ExportSpec
from resnext.tasks.segmentation import tiles
from resnext.tasks.segmentation.answer import MaskAnswer
from resnext.tasks.segmentation.task import Segmentation
from resnext.tasks.segmentation.tiled import answer_in_tiles
from resnext.tasks.segmentation.tiles import Tiling
from resnext.tasks.task import TaskOptions

CPU = Runtime(torch.device("cpu"), torch.float32)
SIDE, WIDE = 80, 84  # write_shapes makes every second image 4 pixels wider


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> DataConfig:
    root = tmp_path_factory.mktemp("shapes") / "set"
    write_shapes(root, num=6, side=SIDE)
    return DataConfig(name="masks", root=root, workers=0, val_fraction=1.0)


def network(shapes: DataConfig) -> TrainedNetwork:
    torch.manual_seed(0)
    info = load_data(shapes).info
    card = ModelCard(
        classes=NAMES,
        task="segmentation",
        image_size_px=16,
        resize_px=None,
        mean=info.mean,
        std=info.std,
    )
    config = tiny_segmenter().replace(aux_head=False)
    return TrainedNetwork(create_model(config).eval(), config, card)


def figures_of(model: TrainedNetwork, shapes: DataConfig) -> dict[str, Any]:
    return measure(model, Protocol(data=shapes, split="all"), CPU).figures


def use_tiles(monkeypatch: pytest.MonkeyPatch, tile_px: int, margin_px: int) -> None:
    """Tile every image that does not fit in one tile."""
    monkeypatch.setattr(tiles, "MAX_WHOLE_PIXELS", tile_px * tile_px)
    monkeypatch.setattr(Tiling.__init__, "__defaults__", (tile_px, margin_px, False))


def confusion_of_prediction(model: TrainedNetwork, shapes: DataConfig) -> list[list[int]]:
    """Count pixels by class and predicted class in the masks of `predict`."""
    split, found = load_data(shapes).val, Predictor(model)
    reader, counts = split.reader(3), np.zeros((3, 3), np.int64)
    for index in range(len(split)):
        (answer,) = found.answers_to([found.preprocessor.pixels(reader.open(index))], 1)
        assert isinstance(answer, MaskAnswer)
        truth = reader.mask(index)
        known = truth != IGNORED
        np.add.at(counts, (truth[known], answer.mask_hw[known]), 1)
    return counts.tolist()


def test_the_masks_are_those_of_prediction(
    shapes: DataConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = network(shapes)
    whole = figures_of(model, shapes)
    sizes = set()
    forward = type(model.module).forward

    def note(module: Any, images_bchw: torch.Tensor) -> Any:
        sizes.add(tuple(images_bchw.shape[-2:]))
        return forward(module, images_bchw)

    monkeypatch.setattr(type(model.module), "forward", note)
    use_tiles(monkeypatch, 64, 0)
    with caplog.at_level(logging.WARNING):
        tiled = figures_of(model, shapes)
    assert max(max(size) for size in sizes) == 64
    assert [record.getMessage()[:27] for record in caplog.records] == [
        f"an image of {SIDE} x {SIDE} px is p"[:27]
    ]
    assert tiled["confusion"] == confusion_of_prediction(model, shapes)
    assert tiled["confusion"] != whole["confusion"]  # no margin: the borders differ
    assert tiled["loss"] == pytest.approx(whole["loss"], rel=0.1)
    assert tiled["loss"] != whole["loss"]


def test_tiles_whose_margin_covers_what_a_pixel_sees_give_the_figures_of_the_whole(
    shapes: DataConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(shapes)
    whole = figures_of(model, shapes)
    # The receptive field of two stages and the head is below 2 x 32 px; sides are multiples of 4.
    use_tiles(monkeypatch, 80, 8 + 24)
    tiled = figures_of(model, shapes)
    assert tiled["confusion"] == whole["confusion"]
    assert tiled["loss"] == pytest.approx(whole["loss"], rel=1e-6)
    assert tiled["per_class"] == whole["per_class"]


def test_an_image_that_fits_in_one_tile_gives_the_same_bits() -> None:
    torch.manual_seed(1)
    scores_bkhw = torch.randn(2, 3, 40, 50)
    masks_bhw = torch.randint(0, 3, (2, 40, 50)).to(torch.uint8)
    masks_bhw[0, :5] = IGNORED
    task = Segmentation(TaskOptions(NAMES))
    whole, tiled = task.tally(full=True), task.tally(full=True)
    numbers_b = torch.arange(2)
    whole.add(scores_bkhw, masks_bhw, numbers_b)
    images_bchw = scores_bkhw  # the network of this test is the identity
    answers = answer_in_tiles(lambda tile: tile, images_bchw, masks_bhw, Tiling(64, 8))
    tiled.add(answers, masks_bhw, numbers_b)
    assert tiled.result().as_dict(NAMES) == whole.result().as_dict(NAMES)
    assert [image.mask_hw.tolist() for image in tiled.result().worst] == [
        image.mask_hw.tolist() for image in whole.result().worst
    ]


def test_the_largest_image_that_is_not_tiled_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiles, "MAX_WHOLE_PIXELS", 30 * 40)
    task = Segmentation(TaskOptions(NAMES))
    for width, is_whole in ((40, True), (41, False)):
        masks_bhw = torch.zeros(1, 30, width, dtype=torch.uint8)
        batch = Batch(torch.randn(1, 3, 30, width), masks_bhw, torch.arange(1), 1)
        found = task.predict(nn.Identity(), batch)
        assert isinstance(found, torch.Tensor) == is_whole


@pytest.mark.parametrize("side", [16, 128])
def test_a_file_of_one_size_is_evaluated_on_images_of_any(shapes: DataConfig, side: int) -> None:
    sizes = set()

    def infer(batch: Any) -> Any:
        sizes.add(batch.shape[:3])
        return batch.transpose(0, 3, 1, 2).astype(np.float32)

    model = network(shapes)
    spec = ExportSpec(format="onnx", input="pixels", size_px=side, dynamic_size=False)
    exported = as_trained(Exported(Path("net.onnx"), model.config, model.card, spec, infer))
    figures = figures_of(exported, shapes)
    assert sizes == {(1, side, side)}
    assert figures["confusion"] == confusion_of_prediction(exported, shapes)
    strongest = np.zeros((3, 3), np.int64)
    reader = load_data(shapes).val.reader(3)
    for index in range(6):
        truth, best = reader.mask(index), np.asarray(reader.open(index)).argmax(axis=2)
        np.add.at(strongest, (truth[truth != IGNORED], best[truth != IGNORED]), 1)
    assert figures["confusion"] == strongest.tolist()
