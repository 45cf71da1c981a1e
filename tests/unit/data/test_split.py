"""Every kind of split answers alike."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from resnext.data.array_split import ArraySplit
from resnext.data.config import DataConfig
from resnext.data.sets.choose_split import choose_split
from resnext.data.sets.load import load_data
from resnext.data.shards.encode import Encoding
from resnext.data.shards.pack import PackOptions, pack
from resnext.data.split import Split
from resnext.errors import ConfigError

NUM = 12


@pytest.fixture(scope="module", params=["memory", "files", "shards"])
def split(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Split:
    """Twelve grey images, the first black and each of the others a little brighter."""
    greys_n = torch.arange(NUM) * 20
    if request.param == "memory":
        images_nhwc = greys_n.to(torch.uint8)[:, None, None, None].expand(-1, 4, 4, 3)
        return ArraySplit(images_nhwc.contiguous(), torch.arange(NUM) // 6)
    root = tmp_path_factory.mktemp("splits")
    for part in ("train", "val"):
        for number, grey in enumerate(greys_n.tolist()):
            path = root / "photos" / part / "ab"[number // 6] / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), (grey,) * 3).save(path)
    data = load_data(DataConfig(name="folder", root=root / "photos"))
    if request.param == "shards":
        pack(data, root / "packed", PackOptions(1.0, Encoding(), 1))
        data = load_data(DataConfig(name="shards", root=root / "packed"))
    return data.train


def number_of(split: Split, index: int) -> int:
    """Return which of the twelve an image is, by its pixels."""
    reader = pickle.loads(pickle.dumps(split.reader(3)))
    return int(np.asarray(reader.open(index))[0, 0, 0]) // 20


def test_chosen_images_keep_their_pixels_names_and_labels(split: Split) -> None:
    chosen = split.choose(torch.tensor([7, 2])).choose(torch.tensor([1, 0]))
    assert [number_of(chosen, index) for index in range(2)] == [2, 7]
    assert chosen.targets_n.tolist() == [0, 1]
    if split.stored_nhwc is None:
        assert [chosen.name(index) for index in range(2)] == [split.name(2), split.name(7)]
        assert str(chosen.path(1)).endswith(split.name(7))


def test_a_sample_is_the_same_each_time_and_in_order(split: Split) -> None:
    numbers = [number_of(split.sample(5), index) for index in range(5)]
    assert numbers == sorted(set(numbers))
    assert numbers == [number_of(split.sample(5), index) for index in range(5)]
    assert {number // 6 for number in numbers} == {0, 1}


def test_new_labels_leave_the_images_alone(split: Split) -> None:
    relabelled = split.relabel(torch.arange(NUM))
    assert relabelled.targets_n.tolist() == [number_of(relabelled, index) for index in range(NUM)]


@pytest.mark.parametrize("epoch", [0, 1])
def test_both_orders_hold_each_image_once(split: Split, epoch: int) -> None:
    for order_n in (split.epoch_order(3, epoch), split.evaluation_order()):
        assert order_n.sort().values.tolist() == list(range(NUM))


def test_splits_of_a_packed_set_are_not_put_together(tmp_path: Path) -> None:
    for part in ("train", "val"):
        for label in "ab":
            path = tmp_path / "photos" / part / label / "1.png"
            path.parent.mkdir(parents=True)
            Image.new("RGB", (4, 4)).save(path)
    data = load_data(DataConfig(name="folder", root=tmp_path / "photos"))
    assert len(choose_split(data, "all")) == 4
    pack(data, tmp_path / "packed", PackOptions(1.0, Encoding(), 1))
    packed = load_data(DataConfig(name="shards", root=tmp_path / "packed"))
    with pytest.raises(
        ConfigError, match="the 2 splits of a packed set must be evaluated one by one"
    ):
        choose_split(packed, "all")
