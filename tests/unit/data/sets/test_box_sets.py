"""Folders of boxes as data sets: their splits, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from box_folders import NAMES, write_boxes

from resnext.data.boxes.read import load_boxes
from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_boxes(tmp_path / "set", 30)
    return tmp_path / "set"


def test_splits_are_those_of_the_annotations(root: Path) -> None:
    data = load_data(parse_data(f"coco:{root}"))
    assert (data.info.classes, data.info.targets) == (NAMES, "boxes")
    assert (len(data.train), len(data.val), data.test) == (30, 10, None)
    read = load_boxes(f"coco:{root}")
    reader = data.train.reader(3)
    for index, image in enumerate(read.splits["train"]):
        found = reader.objects(index)
        assert found.path == image.path
        assert found.boxes_n4.tolist() == image.boxes_n4.tolist()
        counts = torch.bincount(torch.from_numpy(image.labels_n), minlength=2)
        assert data.train.targets_n[index].tolist() == counts.tolist()


def test_without_validation_images_a_tenth_is_taken_by_names(tmp_path: Path) -> None:
    write_boxes(tmp_path / "set", 30, has_val=False)
    config = DataConfig(name="coco", root=tmp_path / "set", val_fraction=0.2)
    data = load_data(config)
    names = [{split.name(index) for index in range(len(split))} for split in (data.train, data.val)]
    assert not names[0] & names[1]
    assert sum(map(len, names)) == 30
    assert 3 <= len(data.val) <= 9
    assert int(data.val.targets_n.sum()) > 0
    whole = load_data(config.replace(val_fraction=1.0))
    assert (len(whole.train), len(whole.val)) == (0, 30)


def test_chosen_and_joined_splits_keep_the_objects_of_their_images(root: Path) -> None:
    data = load_data(parse_data(f"coco:{root}"))
    chosen = data.train.choose(torch.tensor([7, 2]))
    joined = chosen.join([data.val])
    assert len(joined) == 12
    for split, index, origin, number in (
        (chosen, 0, data.train, 7),
        (chosen, 1, data.train, 2),
        (joined, 1, data.train, 2),
        (joined, 5, data.val, 3),
    ):
        found, wanted = split.reader(3).objects(index), origin.reader(3).objects(number)
        assert found.path == wanted.path
        assert found.boxes_n4.tolist() == wanted.boxes_n4.tolist()
        assert split.targets_n[index].tolist() == origin.targets_n[number].tolist()


def test_what_is_wrong_with_the_settings_is_said() -> None:
    with pytest.raises(ConfigError, match="name='coco' needs root=PATH"):
        parse_data("coco")
    with pytest.raises(ConfigError, match="classes is not for name='voc'"):
        DataConfig(name="voc", root=Path("a"), classes=("a", "b"))
