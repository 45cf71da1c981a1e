"""Boxes: a run is as exact as a classifier's, and train, evaluate and predict take it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from box_folders import NAMES, TINY_DETECTOR, write_boxes
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
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig
from resnext.model.create import create_model
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.runs.runtime import Runtime
from resnext.training.train import resolve
from resnext.weights.own_file import save_weights

pytest.importorskip("faster_coco_eval")
CPU = Runtime(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxes") / "set"
    write_boxes(folder)
    return folder


@pytest.fixture(scope="module")
def config(boxes: Path) -> TrainConfig:
    """Parts, scales and colours drawn, averaged weights, saves in mid-epoch."""
    return small_run(
        model=TINY_DETECTOR,
        data=DataConfig(name="coco", root=boxes, workers=0),
        augment=AugmentConfig(crop="objects", scale=(0.8, 1.2), flip=True, color_jitter=0.2),
        optim=OptimConfig(kind="adamw", lr=0.002, lr_batch_size=6, clip_norm=5.0),
        schedule=ScheduleConfig(epochs=3),
        ema_decay=0.8,
        batch_size=6,
        checkpoint_minutes=0.0001,
    )


@pytest.fixture(scope="module")
def run(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    finish(config, run)
    return run


def test_a_run_learns_and_records_what_it_did(run: Path) -> None:
    first, *_, last = epoch_rows(run)
    assert last["train_loss"] < 0.8 * first["train_loss"]
    parts = [last[f"train_{name}_loss"] for name in ("class", "box")]
    assert sum(parts) == pytest.approx(last["train_loss"], rel=1e-5)
    assert "train_mask_loss" not in last
    network = load(run)
    assert (network.card.task, network.card.classes) == ("detection", NAMES)
    best = max(row["ap"] for row in epoch_rows(run))
    assert network.card.metrics["ap"] == best


@pytest.mark.slow
@pytest.mark.parametrize("family", ["retinanet", "faster_rcnn"])
def test_a_run_that_is_killed_ends_with_the_bits_of_one_that_was_not(
    family: str, run: Path, config: TrainConfig, tmp_path: Path
) -> None:
    whole = run
    if family != "retinanet":  # it draws samples of regions in each step
        config = config.replace(model=TINY_DETECTOR.replace(family=family))
        whole = tmp_path / "whole"
        finish(config, whole)
    again = tmp_path / "again"
    finish_killed_at_random(config, again, (2.0, 5.0))
    assert_same_bits(again, whole)
    assert epoch_rows(again) == epoch_rows(whole)


@pytest.mark.slow
def test_workers_change_no_bit(run: Path, config: TrainConfig, tmp_path: Path) -> None:
    finish(config.replace(data=config.data.replace(workers=2)), tmp_path / "workers")
    assert_same_bits(tmp_path / "workers", run)


@pytest.mark.slow
def test_two_ranks_and_one_give_the_same_weights_and_figures(
    config: TrainConfig, tmp_path: Path
) -> None:
    root = tmp_path / "set"
    write_boxes(root, has_upright=False)
    config = config.replace(
        data=config.data.replace(root=root),
        augment=AugmentConfig(flip=True, color_jitter=0.2),  # each process pads its own images
        freeze_norm=True,  # BN's batch statistics are each process's own
        optim=OptimConfig(lr=0.01, lr_batch_size=6),
        runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
    )
    plain = {NO_DROPOUT: "1"}
    finish(config, tmp_path / "one", **plain)
    finish_in_two(config, tmp_path / "two", **plain)
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-5
    for one, two in zip(epoch_rows(tmp_path / "one"), epoch_rows(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-2, abs=1e-2)


def test_evaluating_repeats_the_validation_of_training(run: Path) -> None:
    figures = measure(run, Protocol(), CPU).figures
    kept = load(run).card.metrics
    assert figures["ap"] == pytest.approx(kept["ap"], abs=1e-3)
    assert figures["loss"] == pytest.approx(kept["loss"], abs=1e-5)
    assert list(figures["per_class"]) == list(NAMES)
    assert figures["num_images"] == 8


def test_the_report_shows_the_worst_images(run: Path) -> None:
    evaluate_run(run)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Images with most errors" in page
    assert "whole images at their own size" in page
    assert "AP50" in page
    assert (run / "evaluation.json").exists()


def test_predict_takes_a_run(run: Path, boxes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(run), str(boxes / "valid" / "024.png"), "--json", "--min-score", "0"]
    assert main(["predict", *words]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert {item["class"] for item in found["objects"]} <= set(NAMES)


def test_a_classifier_cannot_learn_boxes_nor_a_detector_classes(config: TrainConfig) -> None:
    backbone = TINY_DETECTOR.backbone
    with pytest.raises(ConfigError, match="--head retinanet"):
        resolve(config.replace(model=backbone), load_data(config.data).info)
    digits = DataConfig(name="digits")
    with pytest.raises(ConfigError, match="use its backbone"):
        resolve(config.replace(data=digits), load_data(digits).info)


@pytest.mark.slow
def test_train_puts_a_head_on_a_classifier_and_freezes_its_first_layers(
    boxes: Path, tmp_path: Path
) -> None:
    classifier = TINY_DETECTOR.backbone.replace(num_classes=4)
    backbone, out = tmp_path / "classifier.safetensors", tmp_path / "run"
    save_weights(backbone, create_model(classifier), classifier, ModelCard())
    words = ["--data", f"coco:{boxes}", "--weights", str(backbone), "--head", "faster_rcnn"]
    given = ["--epochs", "1", "--image-size", "48", "--workers", "0", "--device", "cpu", "--quiet"]
    assert main(["train", *words, *given, "--out", str(out)]) in (0, 3)
    settings = open_run(out)
    assert (settings.task, settings.recipe) == ("detection", "detection")
    assert isinstance(settings.model, DetectorConfig)
    assert (settings.model.family, settings.model.frozen_norm) == ("faster_rcnn", True)
    assert settings.freeze_until == 1
    before, after = (load(path, out_indices=(1, 4)).module for path in (backbone, out))
    changed = {
        name.partition(".")[0]
        for name, tensor in after.state_dict().items()
        if not torch.equal(tensor, before.state_dict()[name]) and "num_batches" not in name
    }
    assert changed == {"layer2", "layer3", "layer4"}


def test_mask_r_cnn_is_measured_by_its_masks(
    boxes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = TINY_DETECTOR.replace(family="mask_rcnn")
    torch.manual_seed(0)
    save_weights(
        tmp_path / "m.safetensors",
        create_model(network),
        network,
        ModelCard(task="detection", classes=NAMES),
    )
    report = tmp_path / "report.html"
    words = [str(tmp_path / "m.safetensors"), "--data", f"coco:{boxes}", "--report", str(report)]
    assert main(["evaluate", *words, "--device", "cpu", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert 0 <= figures["mask_ap"] <= figures["mask_ap50"] <= 100
    assert figures["num_masks"] == figures["num_objects"]
    assert set(figures["per_class"]["red"]) == {"ap", "ap50", "mask_ap"}
    assert "mask AP75" in report.read_text(encoding="utf-8")
