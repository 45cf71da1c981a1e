"""A folder without splits is evaluated completely; what training kept for validation stays so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from digits_network import CONFIG, save_network, save_run
from image_trees import write_grey

from resnext.cli.evaluate import main as evaluate
from resnext.cli.features import main as features
from resnext.cli.probe import main as probe
from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.errors import DataError
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config
from resnext.runs.runtime import Runtime
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train

CLASSES = "0123456789"
PER_CLASS = 6
NUM = PER_CLASS * len(CLASSES)
RUNTIME = Runtime(torch.device("cpu"), torch.float32)


def make_folder(root: Path, per_class: int = PER_CLASS) -> Path:
    return write_grey(root, per_class, *CLASSES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "test")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(tmp_path / "run")


def figures_of(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[dict[str, object], str]:
    assert evaluate([*flags, "--json", "--workers", "0"]) == 0
    out, err = capsys.readouterr()
    figures: dict[str, object] = json.loads(out)
    return figures, err


def test_all_images_of_a_folder_without_splits_are_evaluated_and_their_number_comes_first(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, notes = figures_of(capsys, str(run), "--data", str(folder))
    assert figures["num_images"] == NUM
    assert figures["data"] == {"name": "folder", "split": "all", "root": str(folder)}
    assert notes.splitlines()[0] == f"evaluating folder: all {NUM} images"


def test_so_few_images_that_no_split_is_possible_are_evaluated(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = make_folder(tmp_path / "small", 1)
    assert figures_of(capsys, str(run), "--data", str(small))[0]["num_images"] == len(CLASSES)


def test_a_folder_with_only_a_test_split_is_evaluated_on_it(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path / "photos" / "test")
    figures, _ = figures_of(capsys, str(run), "--data", str(tmp_path / "photos"))
    assert figures["num_images"] == NUM


@pytest.mark.parametrize("split", ["val", "train"])
def test_a_split_that_is_asked_for_is_the_one_that_training_would_make(
    split: str, run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load_data(parse_data(str(folder)))
    num = len(loaded.val if split == "val" else loaded.train)
    figures, notes = figures_of(capsys, str(run), "--data", str(folder), "--split", split)
    assert figures["num_images"] == num
    assert f"{split} split, {num} of {NUM} images" in notes


def test_without_data_a_run_is_evaluated_on_what_it_kept_for_validation(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DataConfig(name="folder", root=folder)
    write_config(run, TrainConfig(model=CONFIG, data=data))
    num_val = len(load_data(data).val)
    assert 0 < num_val < NUM
    assert figures_of(capsys, str(run))[0]["num_images"] == num_val
    _, notes = figures_of(capsys, str(run), "--data", str(folder))
    assert "trained on most of these images" in notes


def test_features_of_a_folder_without_splits_are_those_of_all_images(
    run: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    out = tmp_path / "f.parquet"
    flags = [str(run), str(folder), "--out", str(out), "--json", "--workers", "0"]
    assert features(flags) == 0
    printed, notes = capsys.readouterr()
    assert json.loads(printed)["num_images"] == NUM
    assert notes.startswith("images of folder: 0 for training, 60 for validation")


def test_a_probe_says_first_how_many_images_it_has(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load_data(parse_data(str(folder)))
    assert probe([str(run), str(folder), "--method", "knn", "--k", "3", "--workers", "0"]) == 0
    numbers = f"{len(loaded.train)} for training, {len(loaded.val)} for validation"
    assert capsys.readouterr().err.startswith(f"images of folder: {numbers}")


def test_a_weight_file_is_measured_on_a_whole_folder(folder: Path, tmp_path: Path) -> None:
    file = save_network(tmp_path / "w.safetensors")
    protocol = Protocol(data=parse_data(str(folder), is_whole=True))
    assert (
        measure(file, protocol, RUNTIME, EvaluationOptions(workers=0)).figures["num_images"] == NUM
    )


def test_nothing_can_be_trained_on_a_folder_that_is_all_validation(
    folder: Path, tmp_path: Path
) -> None:
    config = TrainConfig(model=CONFIG, data=parse_data(str(folder), is_whole=True))
    target = replace(RunTarget(), out=tmp_path / "new")
    with pytest.raises(DataError, match="no training images"):
        train(config, target, Display("quiet"))
    assert not (tmp_path / "new").exists()
