from pathlib import Path

import pytest
import torch
from digits_network import save_network
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.errors import ConfigError, DataError
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol, open_target
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.trained import TrainedNetwork
from resnext.runs.runtime import Runtime

DIGITS = DataConfig(name="digits")


@pytest.fixture
def model(tmp_path: Path) -> TrainedNetwork:
    return load(save_network(tmp_path / "digits.safetensors"))


def make_folder(root: Path, classes: str) -> DataConfig:
    """Make a folder with its own split, two images a class."""
    for split in ("train", "val"):
        for name in classes:
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(2):
                Image.new("L", (9, 9), 20 * number).save(folder / f"{number}.png")
    return DataConfig(name="folder", root=root)


def test_the_own_data_set_needs_no_mapping(model: TrainedNetwork) -> None:
    target = open_target(Protocol(), DIGITS, model)
    assert target.class_subset is None
    assert target.source == {"name": "digits", "split": "val"}


def test_the_split_can_be_chosen(model: TrainedNetwork) -> None:
    train = open_target(Protocol(split="train"), DIGITS, model)
    val = open_target(Protocol(), DIGITS, model)
    assert len(train.split) > len(val.split)
    assert train.source["split"] == "train"


def test_images_are_prepared_as_the_network_wants_them(
    model: TrainedNetwork, tmp_path: Path
) -> None:
    info = open_target(Protocol(), make_folder(tmp_path / "x", "0123456789"), model).info
    card = model.card
    assert (info.in_channels, info.image_size_px, info.mean, info.std) == (
        1,
        8,
        card.mean,
        card.std,
    )


def test_some_of_the_classes_are_found_by_name(model: TrainedNetwork, tmp_path: Path) -> None:
    target = open_target(Protocol(), make_folder(tmp_path / "x", "37"), model)
    assert target.class_subset == [3, 7]
    assert target.info.classes == ("3", "7")
    assert target.split.targets_n.tolist() == [0, 0, 1, 1]


def test_a_single_class_is_not_chosen_from_itself(model: TrainedNetwork, tmp_path: Path) -> None:
    for split in ("val", "test"):
        (tmp_path / split / "7").mkdir(parents=True)
        Image.new("L", (9, 9), 20).save(tmp_path / split / "7" / "0.png")
    data = DataConfig(name="folder", root=tmp_path, val_fraction=1.0)
    message = "has one of the network's 10 classes, 7; .* always be right.*--all-classes"
    with pytest.raises(DataError, match=message):
        open_target(Protocol(), data, model)
    target = open_target(Protocol(all_classes=True), data, model)
    assert (target.split.targets_n.tolist(), target.choice) == ([7], "")


def test_a_choice_among_some_classes_is_said(model: TrainedNetwork, tmp_path: Path) -> None:
    data = make_folder(tmp_path, "57")
    target = open_target(Protocol(), data, model)
    words = "chosen among 2 of the network's 10 classes; --all-classes for all"
    assert target.choice == words
    assert (target.source["chosen_among"], target.source["num_outputs"]) == (2, 10)
    notes: list[str] = []
    effort = EvaluationOptions(note=notes.append, workers=0)
    runtime = Runtime(torch.device("cpu"), torch.float32)
    figures = measure(model, Protocol(data=data), runtime, effort).figures
    assert notes[1:] == [words]
    assert figures["data"]["chosen_among"] == 2
    every = open_target(Protocol(), make_folder(tmp_path / "every", "9876543210"), model)
    assert (every.choice, "chosen_among" in every.source) == ("", False)


def test_all_classes_keeps_the_whole_choice(model: TrainedNetwork, tmp_path: Path) -> None:
    data = make_folder(tmp_path / "x", "37")
    target = open_target(Protocol(all_classes=True), data, model)
    assert target.class_subset is None
    assert target.info.classes == model.classes
    assert target.split.targets_n.tolist() == [3, 3, 7, 7]


def test_images_in_memory_must_have_the_networks_channels(model: TrainedNetwork) -> None:
    colour = TrainedNetwork(model.module, model.config.replace(in_channels=3), model.card)
    with pytest.raises(ConfigError, match="3 channel"):
        open_target(Protocol(), DIGITS, colour)


def test_imagenet_v2_takes_a_folder_and_nothing_else(model: TrainedNetwork, tmp_path: Path) -> None:
    for protocol, data in (
        (Protocol(imagenet_v2=True), DIGITS),
        (Protocol(imagenet_v2=True, split="train"), DataConfig(name="folder", root=tmp_path)),
    ):
        with pytest.raises(ConfigError, match="--imagenet-v2 takes its folder from --data"):
            open_target(protocol, data, model)


def test_imagenet_v2_has_the_classes_of_the_network(model: TrainedNetwork, tmp_path: Path) -> None:
    for number in (7, 12):
        (tmp_path / str(number)).mkdir()
        Image.new("RGB", (9, 9)).save(tmp_path / str(number) / "a.png")
    synsets = tuple(f"n{number:08d}" for number in range(1000))
    large = TrainedNetwork(
        model.module,
        model.config.replace(num_classes=1000, in_channels=3),
        ModelCard(classes=synsets),
    )
    data = DataConfig(name="folder", root=tmp_path)
    target = open_target(Protocol(imagenet_v2=True), data, large)
    assert isinstance(target.split, FileSplit)
    assert dict(zip(target.split.names, target.split.targets_n.tolist(), strict=True)) == {
        "7/a.png": 7,
        "12/a.png": 12,
    }
    assert target.info.classes == synsets
    assert target.class_subset is None


def test_unknown_classes_are_refused(model: TrainedNetwork, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'x'"):
        open_target(Protocol(), make_folder(tmp_path / "x", "1x"), model)
