"""Other tables and masks are evaluated with the targets and classes of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mask_folders import tiny_segmenter
from PIL import Image
from tiny_config import TINY

from resnext.data.config import DataConfig
from resnext.errors import ConfigError, DataError
from resnext.evaluation.fit_tables import as_run_reads
from resnext.evaluation.target import EvaluationSet, Protocol, open_target
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork

FRUIT = ("red", "round", "ripe")


def network(task: str = "multilabel", classes: tuple[str, ...] = FRUIT) -> TrainedNetwork:
    config = TINY.replace(num_classes=len(classes), in_channels=3)
    card = ModelCard(task=task, classes=classes, image_size_px=8, resize_px=None)
    return TrainedNetwork(create_model(config), config, card)


def opened(folder: Path, text: str, model: TrainedNetwork | None = None) -> EvaluationSet:
    (folder / "images").mkdir()
    for number in range(8):
        Image.new("RGB", (8, 8)).save(folder / "images" / f"{number}.png")
    (folder / "test.csv").write_text(text)
    data = DataConfig(name="table", root=folder / "test.csv", val_fraction=1.0)
    return open_target(Protocol(data=data, split="all"), data, model or network())


@pytest.mark.parametrize(
    "text",
    [
        "image,red,round,ripe\n0.png,1,0,0\n1.png,0,1,0\n2.png,0,0,1\n",
        "image,labels\n0.png,red\n1.png,round\n2.png,ripe\n",
    ],
    ids=["columns", "cells"],
)
def test_labels_stay_labels_where_each_image_has_one(tmp_path: Path, text: str) -> None:
    found = opened(tmp_path, text)
    assert found.info.targets == "labels"
    order = [FRUIT.index(name) for name in found.info.classes]
    assert found.split.targets_n.tolist() == np.eye(3, dtype=int)[:, order].tolist()


def test_a_label_that_occurs_nowhere_is_evaluated(tmp_path: Path) -> None:
    found = opened(tmp_path, "image,red,round,ripe,old\n0.png,1,1,0,1\n1.png,0,1,0,0\n")
    assert found.info.classes == FRUIT
    assert found.class_subset is None
    assert found.split.targets_n.tolist() == [[1, 1, 0], [0, 1, 0]]


def test_a_column_with_a_common_name_comes_first(tmp_path: Path) -> None:
    model = network("classification", ("cat", "dog"))
    found = opened(tmp_path, "image,label,cat,dog\n0.png,dog,0,1\n1.png,cat,0,1\n", model)
    assert found.split.targets_n.tolist() == [1, 0]


def test_other_tables_are_read_by_the_columns_of_the_run(tmp_path: Path) -> None:
    own = DataConfig(name="table", root=tmp_path / "train.csv", image_column="pic",
                     label_column=("x", "y"), label_separator=" ")  # fmt: skip
    for number, header in enumerate(("pic,x,y", "image,x,y", "pic,label")):
        root = tmp_path / f"{number}.csv"
        root.write_text(f"{header}\n" + ",".join("1" * len(header.split(","))) + "\n")
        found = as_run_reads(DataConfig(name="table", root=root), own)
        has = header.split(",")
        assert found.image_column == ("pic" if "pic" in has else None)
        assert found.label_column == (("x", "y") if "x" in has else None)
        assert found.label_separator == " "
    given = DataConfig(name="table", root=tmp_path / "0.csv", label_column="y")
    assert as_run_reads(given, own).label_column == "y"
    folder = DataConfig(name="folder", root=tmp_path)
    assert as_run_reads(folder, own) == folder
    assert as_run_reads(given, None) == given


def test_data_of_another_kind_are_named_before_their_classes(tmp_path: Path) -> None:
    write_masks(tmp_path, (0, 1))
    data = DataConfig(name="masks", root=tmp_path, val_fraction=1.0)
    with pytest.raises(ConfigError, match="has learned multilabel, for targets of the kind"):
        open_target(Protocol(data=data), data, network())


def write_masks(folder: Path, values: tuple[int, ...]) -> None:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (4, 4)).save(folder / "images" / f"{number}.png")
        mask = np.resize(np.array(values, np.uint8), (4, 4))
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")


def test_a_pixel_may_be_taken_for_a_class_that_no_mask_has(tmp_path: Path) -> None:
    config = tiny_segmenter(num_classes=3)
    card = ModelCard(task="segmentation", classes=("0", "1", "2"))
    model = TrainedNetwork(create_model(config), config, card)
    write_masks(tmp_path / "two", (0, 2))
    data = DataConfig(name="masks", root=tmp_path / "two", val_fraction=1.0)
    target = open_target(Protocol(data=data), data, model)
    assert target.info.classes == ("0", "2", "1")
    assert target.class_subset == [0, 2, 1]
    (tmp_path / "two" / "classes.txt").write_text("0 0\n2 2\n")
    assert open_target(Protocol(data=data), data, model).class_subset == [0, 2]
    (tmp_path / "two" / "classes.txt").write_text("0 sky\n2 road\n")
    with pytest.raises(DataError, match="was not trained on 2 of the 2 classes"):
        open_target(Protocol(data=data), data, model)


def test_unequal_class_names_of_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="was not trained on 1 of the 2 classes"):
        opened(tmp_path, "image,labels\n0.png,red|blue\n1.png,red\n")
