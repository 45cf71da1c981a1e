"""Several labels an image: the run is as exact as a classifier's, and every verb answers it."""

import json
from pathlib import Path

import pytest
import torch
from digit_tables import LABELS, write_digit_tables
from runs import (
    assert_same_bits,
    epoch_rows,
    finish,
    finish_in_two,
    finish_killed_at_random,
    largest_difference,
    small_run,
)

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import ResNeXtError
from resnext.evaluation.run import measure
from resnext.evaluation.target import Protocol
from resnext.export.export import export_model
from resnext.export.options import ExportOptions
from resnext.inference.files import predict_images
from resnext.inference.load import load
from resnext.inference.predictor import Predictor
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import Runtime
from resnext.tasks.multilabel.answer import LabelAnswer
from resnext.weights.own_file import save_weights

CPU = Runtime(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    write_digit_tables(folder)
    return folder / "labels.csv"


@pytest.fixture
def config(table: Path) -> TrainConfig:
    """Workers, mixing, averaged weights, saves in mid-epoch."""
    config = small_run(
        data=DataConfig(name="table", root=table, workers=0, image_size_px=8),
        augment=AugmentConfig(crop="pad", pad_px=1, mixup=0.4),
        ema_decay=0.9,
        batch_size=32,
        checkpoint_minutes=0.0001,
        label_smoothing=0.1,
        loss="asymmetric",
    )
    return config.replace(model=config.model.replace(in_channels=3))


@pytest.fixture
def run(config: TrainConfig, tmp_path: Path) -> Path:
    finish(config, tmp_path / "run")
    return tmp_path / "run"


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
        model=config.model.replace(zero_init_residual=True),
        freeze_norm=True,  # BN's batch statistics are each process's own
        runtime=RuntimeConfig(device="cpu", threads=1, precision="fp32"),
        accumulate=2,
    )
    finish(config, tmp_path / "one")
    finish_in_two(config, tmp_path / "two")
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
    for one, two in zip(epoch_rows(tmp_path / "one"), epoch_rows(tmp_path / "two"), strict=True):
        assert two == pytest.approx(one, rel=1e-4, abs=1e-4)


def test_the_weights_know_their_labels_and_thresholds(run: Path) -> None:
    network = load(run)
    assert (network.card.task, network.card.classes) == ("multilabel", LABELS)
    assert len(network.card.thresholds) == 3
    figures = measure(run, Protocol(), CPU).figures
    assert figures["mean_ap"] == pytest.approx(network.card.metrics["mean_ap"], abs=1e-4)
    assert figures["thresholds_from"] == "the weights"
    kept = {name: row["threshold"] for name, row in figures["per_class"].items()}
    assert kept == dict(zip(LABELS, network.card.thresholds, strict=True))


def test_other_labels_in_another_order_keep_their_thresholds(
    run: Path, table: Path, tmp_path: Path
) -> None:
    lines = [line.split(",") for line in table.read_text().splitlines()]
    fewer = tmp_path / "fewer.csv"
    fewer.write_text("".join(f"{line[0]},{line[3]},{line[1]}\n" for line in lines))
    data = DataConfig(name="table", root=fewer, images=table.parent / "images", val_fraction=1.0)
    found = measure(run, Protocol(data=data, split="all"), CPU).figures["per_class"]
    whole = DataConfig(name="table", root=table, val_fraction=1.0)
    all_found = measure(run, Protocol(data=whole, split="all"), CPU).figures["per_class"]
    assert found == {label: all_found[label] for label in (LABELS[2], LABELS[0])}


def test_thresholds_that_do_not_fit_the_outputs_are_refused(run: Path, tmp_path: Path) -> None:
    network = load(run)
    card = network.card.replace(thresholds=(0.5, 0.5))
    file = tmp_path / "edited.safetensors"
    save_weights(file, network.module, network.config, card)
    with pytest.raises(ResNeXtError, match="2 thresholds, but the network has 3 outputs"):
        load(file)


def test_an_exported_file_gives_the_same_answers(run: Path, table: Path, tmp_path: Path) -> None:
    network = load(run)
    export_model(network, tmp_path / "net.onnx", ExportOptions())
    paths = sorted((table.parent / "images").iterdir())[:20]
    of_run, of_file = (
        list(predict_images(Predictor(load(path)), paths)) for path in (run, tmp_path / "net.onnx")
    )
    for one, other in zip(of_run, of_file, strict=True):
        assert isinstance(one.answer, LabelAnswer)
        assert isinstance(other.answer, LabelAnswer)
        ours, theirs = (
            {score.name: score.probability for score in answer.scores}
            for answer in (one.answer, other.answer)
        )
        assert theirs == pytest.approx(ours, abs=1e-5)
        json.dumps(other.answer.as_dict())
