from pathlib import Path

import pytest
from digits_network import save_network
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.errors import ConfigError, DataError
from resnext.evaluation.target import Protocol, open_target
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.trained import TrainedNetwork

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
