"""A class for each pixel: the run is as exact as a classifier's, and every verb answers it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_folders import NAMES, tiny_segmenter, write_shapes
from PIL import Image
from runs import (
    NO_DROPOUT,
    assert_same_bits,
    epoch_rows,
    finish,
    finish_in_two,
    finish_killed_at_random,
    largest_difference,
    small_run,
)

from resnext.cli.main import main
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.evaluation.run import evaluate_run, measure
from resnext.evaluation.target import Protocol
from resnext.inference.files import predict_images
from resnext.inference.load import load
from resnext.inference.predictor import Predictor
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.runs.runtime import Runtime
from resnext.tasks.segmentation.answer import MaskAnswer
from resnext.training.train import resolve

CPU = Runtime(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shapes") / "set"
    write_shapes(folder, num=40)
    return folder


@pytest.fixture(scope="module")
def config(shapes: Path) -> TrainConfig:
    """A second head, averaged weights, both losses, saves in mid-epoch."""
    return small_run(
        model=tiny_segmenter(),
        data=DataConfig(name="masks", root=shapes, workers=0, image_size_px=16, val_fraction=0.2),
        augment=AugmentConfig(crop="scaled", flip=True, color_jitter=0.2),
        optim=OptimConfig(kind="adamw", lr=0.01, lr_batch_size=8),
        schedule=ScheduleConfig(kind="poly", epochs=5),
        ema_decay=0.9,
        batch_size=8,
        checkpoint_minutes=0.0001,
        loss="cross_entropy_dice",
    )


@pytest.fixture(scope="module")
def run(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    finish(config, run)
    return run


def test_a_small_network_learns_the_shapes(run: Path) -> None:
    *_, last = epoch_rows(run)
    best = max(row["mean_iou"] for row in epoch_rows(run))
    assert best > 1.3 * last["guess"]
    assert load(run).card.task == "segmentation"
    assert load(run).card.classes == NAMES
    assert load(run).card.metrics["mean_iou"] == best


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_bits_of_one_that_was_not(
    run: Path, config: TrainConfig, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    finish_killed_at_random(config, again)
    assert_same_bits(again, run)
    assert epoch_rows(again) == epoch_rows(run)


def test_workers_change_no_bit(run: Path, config: TrainConfig, tmp_path: Path) -> None:
    finish(config.replace(data=config.data.replace(workers=2)), tmp_path / "workers")
    assert_same_bits(tmp_path / "workers", run)


def test_two_ranks_and_one_give_the_same_weights_and_figures(
    config: TrainConfig, tmp_path: Path
) -> None:
    config = config.replace(
        freeze_norm=True,  # BN's batch statistics are each process's own
        optim=OptimConfig(lr=0.01, lr_batch_size=8),
        runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
        accumulate=2,
    )
    plain = {NO_DROPOUT: "1"}
    finish(config, tmp_path / "one", **plain)
    finish_in_two(config, tmp_path / "two", **plain)
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
    for one, two in zip(epoch_rows(tmp_path / "one"), epoch_rows(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-3, abs=1e-3)


def test_evaluating_repeats_the_validation_of_training(run: Path) -> None:
    figures = measure(run, Protocol(), CPU).figures
    assert figures["mean_iou"] == pytest.approx(load(run).card.metrics["mean_iou"], abs=1e-3)
    assert list(figures["per_class"]) == list(NAMES)


def test_the_report_shows_the_worst_images_beside_their_masks(run: Path) -> None:
    evaluate_run(run)
    page = (run / "report.html").read_text()
    assert "Images with the most wrong pixels" in page
    assert page.count('<div class="masks">') >= 1
    assert "mIoU" in page
    assert "disc" in page


def test_predictions_are_masks_of_the_size_of_the_image(run: Path, shapes: Path) -> None:
    paths = sorted((shapes / "images").iterdir())[:4]
    predictor = Predictor(load(run))
    for path, found in zip(paths, predict_images(predictor, paths), strict=True):
        assert isinstance(found.answer, MaskAnswer)
        image = predictor.preprocessor.read(path)
        assert found.answer.mask_hw.shape == (image.height, image.width)
        outputs = predictor.logits([predictor.preprocessor.pixels(image)])[0]
        assert np.array_equal(found.answer.mask_hw, outputs.argmax(axis=0))


def test_predict_writes_masks_and_overlays(
    run: Path, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(run), str(shapes / "images"), "--json", "--draw", str(tmp_path / "drawn")]
    assert main(["predict", *words, "--masks", str(tmp_path / "masks")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 40
    with Image.open(tmp_path / "masks" / "000.png") as mask:
        assert mask.mode == "P"
        values = np.asarray(mask)
    assert set(np.unique(values)) <= {0, 1, 2}
    with Image.open(tmp_path / "drawn" / "001.png") as drawn:
        assert drawn.size == (28, 24)
    shares = {area["class"]: area["share"] for area in found[0]["areas"]}
    assert shares["background"] == pytest.approx(float((values == 0).mean()))


def test_a_classifier_cannot_learn_masks_nor_a_segmenter_classes(config: TrainConfig) -> None:
    backbone = config.model.backbone  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="--head deeplabv3"):
        resolve(config.replace(model=backbone), load_data(config.data).info)
    digits = DataConfig(name="digits")
    with pytest.raises(ConfigError, match="use its backbone"):
        resolve(config.replace(data=digits), load_data(digits).info)


@pytest.mark.slow
def test_train_puts_a_head_on_the_network(
    shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", f"masks:{shapes}", "--model", "resnext_1-1_2x4d_cifar", "--head", "fcn"]
    out = tmp_path / "run"
    given = ["--epochs", "1", "--image-size", "16", "--workers", "0", "--device", "cpu"]
    assert main(["train", *words, *given, "--out", str(out), "--quiet"]) in (0, 3)
    settings = open_run(out)
    assert (settings.task, settings.schedule.kind) == ("segmentation", "poly")
    assert settings.model.family == "fcn"
    assert main(["data", "check", str(shapes)]) in (0, 1)
    assert re.search(r"pixels +background \d", capsys.readouterr().out)
